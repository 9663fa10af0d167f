using BtrfsClone.Finding;

namespace BtrfsClone.Tests.Finding;

/// <summary>
/// What a search would read of a filesystem of any size: files of 64 blocks in two extents. Every tenth one is a copy of the
/// file five before it, and the second extent of every other tenth one is the middle of the file four before it.
/// </summary>
internal sealed class SimulatedTree(int files) : IBlockKeys
{
    public const int BlockSize = 4096;
    public const int ExtentBlocks = 32;
    public const int FileBlocks = 2 * ExtentBlocks;

    // Some files are there twice, so that extents have several pieces.
    private const int CloneEvery = 20;

    public int Evidence => 8;

    public long Blocks => (long)files * FileBlocks;

    public ulong Zeros(bool noChecksum) => Mix(ulong.MaxValue);

    public void Read(ReadOnlySpan<KeyPart> parts, Span<ulong> keys)
    {
        foreach (ref readonly KeyPart part in parts)
        {
            long block = (part.Disk / BlockSize) + part.First;
            for (int i = 0; i < part.Blocks; i++)
            {
                keys[i] = Mix((ulong)ContentOf(block + i));
            }

            keys = keys[part.Blocks..];
        }
    }

    /// <summary>Brings all files and their pieces.</summary>
    public void Fill(FileTable table, Sorter<Piece> pieces)
    {
        for (int file = 0; file < files; file++)
        {
            Add(file, table, pieces);
            if (file % CloneEvery == 0)
            {
                Add(file, table, pieces);
            }
        }
    }

    /// <summary>The groups of whole files: how many, and their bytes that come free.</summary>
    public (long Count, long Gain) FileGroups => Groups(last: 9, before: 5, FileBlocks);

    /// <summary>The groups of ranges.</summary>
    public (long Count, long Gain) RangeGroups => Groups(last: 8, before: 4, ExtentBlocks);

    private (long Count, long Gain) Groups(int last, int before, int blocks)
    {
        long count = 0;
        for (int file = last; file < files; file += 10)
        {
            count += file >= before ? 1 : 0;
        }

        return (count, count * blocks * BlockSize);
    }

    private static void Add(int file, FileTable table, Sorter<Piece> pieces)
    {
        int number = table.Add(new FileEntry { Inode = (ulong)table.Count + 257, Size = (long)FileBlocks * BlockSize });
        for (int extent = 0; extent < 2; extent++)
        {
            pieces.Add(new Piece
            {
                Disk = (((long)file * FileBlocks) + (extent * ExtentBlocks)) * BlockSize,
                DiskBlocks = ExtentBlocks,
                FileBlock = extent * ExtentBlocks,
                Blocks = ExtentBlocks,
                File = number,
            });
        }
    }

    /// <summary>Which of all different contents a block has.</summary>
    private static long ContentOf(long block)
    {
        long file = block / FileBlocks;
        long inFile = block % FileBlocks;
        return (file % 10) switch
        {
            9 => block - (5 * FileBlocks),
            8 when inFile >= ExtentBlocks => block - (4 * FileBlocks) - (ExtentBlocks / 2),
            _ => block,
        };
    }

    private static ulong Mix(ulong value)
    {
        value = (value + 1) * 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 32)) * 0xD6E8FEB86659FD93;
        return (value ^ (value >> 32)) | 1;
    }
}
