namespace BtrfsClone.Finding;

/// <summary>
/// Keys of blocks from their checksums. Those of a compressed extent are checksums of the compressed data, so only all of them
/// together identify the content of its blocks.
/// </summary>
internal sealed class ChecksumKeys(ChecksumReader reader, ChecksumKind kind, int blockSize) : IBlockKeys
{
    // BTRFS_MAX_COMPRESSED (fs/btrfs/compression.h) is 128 KiB, and no block is smaller than 512 bytes.
    private const int MostCompressed = 256;

    private readonly ulong _zeros = Key.OfChecksum(kind.OfZeros(blockSize));
    private readonly ulong[] _compressed = new ulong[MostCompressed];
    private bool[] _isThere = [];
    private long _extent = -1;
    private ulong _extentKey;

    public int Evidence => kind.Size;

    public ulong Zeros(bool noChecksum) => noChecksum ? IBlockKeys.Unknown : _zeros;

    public void Read(ReadOnlySpan<KeyPart> parts, Span<ulong> keys)
    {
        foreach (ref readonly KeyPart part in parts)
        {
            Read(part, keys[..part.Blocks]);
            keys = keys[part.Blocks..];
        }
    }

    private void Read(in KeyPart part, Span<ulong> keys)
    {
        if (_isThere.Length < Math.Max(keys.Length, MostCompressed))
        {
            _isThere = new bool[Math.Max(keys.Length, MostCompressed)];
        }

        if (part.Compression != 0)
        {
            ReadCompressed(part, keys);
            return;
        }

        Span<bool> isThere = _isThere.AsSpan(0, keys.Length);
        reader.Read(part.Disk + ((long)part.First * blockSize), keys, isThere);
        for (int i = 0; i < keys.Length; i++)
        {
            keys[i] = isThere[i] ? Key.OfChecksum(keys[i]) : IBlockKeys.Unknown;
        }
    }

    private void ReadCompressed(in KeyPart part, Span<ulong> keys)
    {
        if (part.Disk != _extent)
        {
            (_extent, _extentKey) = (part.Disk, KeyOf(part));
        }

        for (int i = 0; i < keys.Length; i++)
        {
            keys[i] = _extentKey == IBlockKeys.Unknown
                ? IBlockKeys.Unknown
                : Key.OfCompressed(_extentKey, part.First + i);
        }
    }

    private ulong KeyOf(in KeyPart part)
    {
        if (part.DiskBlocks > MostCompressed)
        {
            return IBlockKeys.Unknown;
        }

        Span<ulong> checksums = _compressed.AsSpan(0, part.DiskBlocks);
        Span<bool> isThere = _isThere.AsSpan(0, part.DiskBlocks);
        reader.Read(part.Disk, checksums, isThere);
        if (isThere.Contains(false))
        {
            return IBlockKeys.Unknown;
        }

        ulong key = part.Compression;
        foreach (ulong checksum in checksums)
        {
            key = Key.Add(key, checksum);
        }

        return key;
    }
}
