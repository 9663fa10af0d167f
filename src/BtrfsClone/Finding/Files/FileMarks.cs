namespace BtrfsClone.Finding;

/// <summary>A set of files by number, with one bit per file.</summary>
internal sealed class FileMarks
{
    private ulong[] _bits = [];

    public int Count { get; private set; }

    public bool this[int file] => file / 64 < _bits.Length && (_bits[file / 64] >> (file % 64) & 1) != 0;

    public void Add(int file)
    {
        if (file / 64 >= _bits.Length)
        {
            Array.Resize(ref _bits, Math.Max((file / 64) + 1, _bits.Length * 2));
        }

        Count += this[file] ? 0 : 1;
        _bits[file / 64] |= 1UL << (file % 64);
    }
}
