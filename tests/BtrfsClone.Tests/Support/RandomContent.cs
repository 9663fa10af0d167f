using System.Text;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Support;

/// <summary>Fills files so that btrfs stores them in every way it has.</summary>
/// <param name="random">Decides it.</param>
/// <param name="beyondEnd">Whether space is preallocated beyond ends.</param>
/// <param name="longestHole">In bytes.</param>
internal sealed class RandomContent(Random random, bool beyondEnd, long longestHole)
{
    private const int Block = 4096;

    /// <summary>Fills an empty file. Returns whether it is worth overwriting pieces of it later.</summary>
    public bool Fill(SafeFileHandle file)
    {
        switch (random.Next(20))
        {
            case 0 or 1 or 2:
                return false;
            case 3 or 4 or 5 or 6 or 7:
                // At most 2048 bytes (the default of the mount option max_inline) are stored inline.
                Write(file, 0, random.Next(1, 2048));
                return false;
            case 8 or 9 or 10 or 11:
                Write(file, 0, random.Next(2049, 16 * Block));
                return false;
            case 12 or 13:
                Write(file, 0, random.Next(1 << 20, 3 << 20));
                return true;
            case 14:
                Compressible(file, random.Next(Block, 1 << 20));
                return true;
            case 15:
                Sparse(file);
                return false;
            case 16:
                Preallocated(file);
                return false;
            case 17:
                // Blocks with holes between them: an extent each.
                for (int i = 0; i < 100; i++)
                {
                    Write(file, 2L * i * Block, Block);
                }

                return false;
            case 18:
                // A hole, and nothing but a hole.
                Native.Truncate(file, random.NextInt64(1, longestHole));
                return false;
            default:
                int length = random.Next(1, 50) * Block;
                if (!beyondEnd)
                {
                    Native.Truncate(file, length);
                }

                Native.Preallocate(file, 0, length);
                return false;
        }
    }

    /// <summary>Overwrites blocks here and there, so that a written extent is referenced in pieces.</summary>
    public void Overwrite(SafeFileHandle file)
    {
        int blocks = (int)(RandomAccess.GetLength(file) / Block);
        for (int i = 0; i < 4 && blocks > 0; i++)
        {
            Write(file, (long)random.Next(blocks) * Block, Block);
        }
    }

    private void Sparse(SafeFileHandle file)
    {
        long offset = random.Next(1, 50) * Block;
        for (int i = 0; i < 5; i++)
        {
            Write(file, offset, random.Next(1, 3 * Block));
            offset += random.NextInt64(Math.Min(longestHole, 1L << 24)) + (4 * Block);
        }

        Native.Truncate(file, offset);
    }

    private void Preallocated(SafeFileHandle file)
    {
        // Inside the file, partly written, and beyond its end.
        Native.Truncate(file, (40 * Block) + random.Next(Block));
        Native.Preallocate(file, 4 * Block, 20 * Block);
        Write(file, 10 * Block, random.Next(1, 3 * Block));
        if (beyondEnd)
        {
            Native.Preallocate(file, 50 * Block, random.Next(1, 30) * Block);
        }
    }

    private void Compressible(SafeFileHandle file, int length)
    {
        StringBuilder text = new();
        while (text.Length < length)
        {
            text.Append(random.Next(1000)).Append(" bottles of beer on the wall\n");
        }

        RandomAccess.Write(file, Encoding.ASCII.GetBytes(text.ToString()), 0);
    }

    private void Write(SafeFileHandle file, long offset, int length)
    {
        byte[] data = new byte[length];
        random.NextBytes(data);
        RandomAccess.Write(file, data, offset);
    }
}
