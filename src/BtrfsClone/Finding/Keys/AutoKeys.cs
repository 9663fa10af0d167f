namespace BtrfsClone.Finding;

/// <summary>Keys from checksums, and from content if there are none.</summary>
internal sealed class AutoKeys(IBlockKeys checksums, IBlockKeys content) : IBlockKeys
{
    private readonly List<KeyPart> _rest = [];
    private ulong[] _restKeys = [];

    public int Evidence => checksums.Evidence;

    public ulong Zeros(bool noChecksum) => noChecksum ? content.Zeros(true) : checksums.Zeros(false);

    public void Read(ReadOnlySpan<KeyPart> parts, Span<ulong> keys)
    {
        checksums.Read(parts, keys);
        _rest.Clear();
        int blocks = 0;
        foreach (ref readonly KeyPart part in parts)
        {
            if (part.NoChecksum)
            {
                _rest.Add(part);
                blocks += part.Blocks;
            }
        }

        if (blocks > 0)
        {
            _restKeys = _restKeys.Length < blocks ? new ulong[blocks] : _restKeys;
            content.Read(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_rest), _restKeys.AsSpan(0, blocks));
            FillIn(parts, keys);
        }
    }

    private void FillIn(ReadOnlySpan<KeyPart> parts, Span<ulong> keys)
    {
        int next = 0;
        foreach (ref readonly KeyPart part in parts)
        {
            if (part.NoChecksum)
            {
                _restKeys.AsSpan(next, part.Blocks).CopyTo(keys);
                next += part.Blocks;
            }

            keys = keys[part.Blocks..];
        }
    }
}
