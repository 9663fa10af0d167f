using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Benchmarks.Trees;

/// <summary>Writes data that neither compresses nor repeats block by block, the same for the same seed.</summary>
internal sealed class Filler
{
    private const int Block = 4096;

    private readonly byte[] _data = new byte[4 << 20];

    public Filler(int seed)
    {
        Random = new Random(seed);
        Random.NextBytes(_data);
    }

    public Random Random { get; }

    /// <summary>Makes a file of a length between the two, in bytes.</summary>
    public void MakeFile(string path, int shortest, int longest)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
        Write(file, 0, Random.Next(shortest, longest + 1));
    }

    /// <summary>Writes so many bytes, at most a MiB, to the place in the file.</summary>
    public void Write(SafeFileHandle file, long offset, int length)
    {
        if (length > 0)
        {
            RandomAccess.Write(file, _data.AsSpan(Random.Next(_data.Length - length), length), offset);
        }
    }

    /// <summary>Writes so many runs of 1 to 3 blocks, holes between them, and leaves the file as long as given.</summary>
    public void WriteSparse(SafeFileHandle file, int extents, long length)
    {
        long stride = length / extents / Block;
        for (int i = 0; i < extents; i++)
        {
            // Less than a stride from its start to its end, so that at least a block stays free before the next.
            long at = (i * stride) + Random.NextInt64(Math.Max(1, stride - 4));
            Write(file, at * Block, Random.Next(1, 4) * Block);
        }

        if (RandomAccess.GetLength(file) < length)
        {
            RandomAccess.SetLength(file, length);
        }
    }
}
