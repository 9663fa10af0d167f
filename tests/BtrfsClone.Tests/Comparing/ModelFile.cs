using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Comparing;

/// <summary>
/// A file, and beside it a list of what each of its blocks is: a number that each write gives anew and each clone takes
/// along. Two blocks are stored in one place if and only if their numbers are the same.
/// </summary>
internal sealed class ModelFile : IDisposable
{
    public const int Block = 4096;

    private const long Hole = 0;

    private static long s_last;

    private readonly SafeFileHandle _file;
    private List<long> _blocks = [];

    public ModelFile(string path, bool compressed)
    {
        Path = path;
        _file = Native.CreateFile(path);
        if (compressed)
        {
            Native.SetXattr(path, "btrfs.compression", "zstd"u8);
        }
    }

    public string Path { get; }

    public long Size { get; private set; }

    public void Dispose() => _file.Dispose();

    /// <summary>Writes blocks that can be compressed and are like no others.</summary>
    public void Write(int block, int count)
    {
        byte[] data = new byte[count * Block];
        for (int i = 0; i < count; i++)
        {
            byte[] number = BitConverter.GetBytes(++s_last);
            for (int at = 0; at < Block; at += number.Length)
            {
                number.CopyTo(data, (i * Block) + at);
            }
        }

        RandomAccess.Write(_file, data, (long)block * Block);
        Set(block, count, i => s_last - count + 1 + i);
    }

    public void Preallocate(int block, int count)
    {
        Native.Preallocate(_file, (long)block * Block, (long)count * Block);
        Size = Math.Max(Size, (block + count) * Block);
        Resize();
        long first = s_last + 1;
        s_last += count;
        Set(block, count, i => _blocks[block + i] == Hole ? first + i : _blocks[block + i]);
    }

    public void PunchHole(int block, int count)
    {
        Native.PunchHole(_file, (long)block * Block, (long)count * Block);
        Set(block, Math.Min(count, _blocks.Count - block), _ => Hole);
    }

    public void Truncate(long size)
    {
        // The rest of a block that is cut is zeroed, and so is written anew; whether a hole is, is the kernel's affair.
        bool cuts = size % Block != 0 && _blocks[(int)(size / Block)] != Hole;
        size -= cuts ? 0 : size % Block;
        Native.Truncate(_file, size);
        Size = size;
        Resize();
        if (cuts)
        {
            _blocks[^1] = ++s_last;
        }
    }

    public void CloneFrom(ModelFile source, int from, int count, int to)
    {
        Shell.Check(
            "xfs_io", "-c", $"reflink {source.Path} {(long)from * Block} {(long)to * Block} {(long)count * Block}", Path);
        List<long> blocks = source._blocks.GetRange(from, count);
        Set(to, count, i => blocks[i]);
    }

    /// <summary>The bytes that are stored in one place with those of another file at the same offset.</summary>
    public long SharedWith(ModelFile other)
    {
        long shared = 0;
        for (int i = 0; i < Math.Min(_blocks.Count, other._blocks.Count); i++)
        {
            long end = Math.Min(Math.Min(Size, other.Size), (i + 1L) * Block);
            shared += _blocks[i] == other._blocks[i] ? end - ((long)i * Block) : 0;
        }

        return shared;
    }

    private void Set(int block, int count, Func<int, long> number)
    {
        Size = Math.Max(Size, (block + count) * Block);
        Resize();
        for (int i = 0; i < count; i++)
        {
            _blocks[block + i] = number(i);
        }
    }

    private void Resize()
    {
        int count = (int)((Size + Block - 1) / Block);
        _blocks = [.. _blocks.Take(count), .. Enumerable.Repeat(Hole, Math.Max(count - _blocks.Count, 0))];
    }
}
