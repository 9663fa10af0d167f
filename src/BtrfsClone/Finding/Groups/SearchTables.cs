namespace BtrfsClone.Finding;

/// <summary>
/// A file extent by its slots: each searched block has a slot, in the order of disk addresses, with an empty slot after blocks
/// without a neighbour.
/// </summary>
internal struct SlotPiece
{
    public long Slot;
    public long FileBlock;
    public int File;
    public int Blocks;

    /// <summary>The number of its extent.</summary>
    public int Extent;

    public readonly long End => Slot + Blocks;
}

/// <summary>A file extent, sorted by its position in the file.</summary>
internal struct FilePiece : IComparable<FilePiece>
{
    public long FileBlock;

    /// <summary>Its first slot; -1 for preallocated space, which has none.</summary>
    public long Slot;

    /// <summary>The <see cref="RollingHash"/> of its blocks' keys.</summary>
    public ulong Hash;
    public int File;
    public int Blocks;
    public int Extent;

    /// <summary>Some of its keys are unknown.</summary>
    public bool IsUnknown;

    public readonly int CompareTo(FilePiece other) =>
        File != other.File ? File.CompareTo(other.File) : FileBlock.CompareTo(other.FileBlock);
}

/// <summary>Whether an extent would be freed if none of the searched files referenced it any more.</summary>
internal enum Holder : byte
{
    None,

    /// <summary>A snapshot may hold it; this is checked only if it matters.</summary>
    PerhapsSnapshot,

    /// <summary>It is held by something that is not searched, or cannot be changed.</summary>
    Other,
}

/// <summary>An extent referenced by searched files.</summary>
internal struct ExtentEntry
{
    /// <summary>Its start in the filesystem's logical address space, in bytes.</summary>
    public long Disk;

    /// <summary>The number of blocks of all its file extents.</summary>
    public long PieceBlocks;

    public int DiskBlocks;

    /// <summary>The number of references from searched files.</summary>
    public int Pieces;

    public Holder Holder;
}

/// <summary>The results of a search, by number.</summary>
internal sealed class SearchTables(WorkingMemory memory, FileTable files, int blockSize) : IDisposable
{
    public WorkingMemory Memory => memory;

    public FileTable Files => files;

    /// <summary>The block size in bytes.</summary>
    public int BlockSize => blockSize;

    /// <summary>The key of each slot; an empty one has <see cref="IBlockKeys.Unknown"/>.</summary>
    public SpillList<ulong> Keys { get; } = new(memory);

    /// <summary>The file extents by slot.</summary>
    public SpillList<SlotPiece> Pieces { get; } = new(memory);

    public Sorter<FilePiece> FilePieces { get; } = new(memory);

    /// <summary>The extents by number, in the order of disk addresses.</summary>
    public SpillList<ExtentEntry> Extents { get; } = new(memory);

    /// <summary>The number of blocks of all searched extents.</summary>
    public long Blocks { get; set; }

    /// <summary>The number of blocks of a file, including a partial last one.</summary>
    public long BlocksOf(long size) => (size + blockSize - 1) / blockSize;

    public void Dispose()
    {
        Keys.Dispose();
        Pieces.Dispose();
        FilePieces.Dispose();
        Extents.Dispose();
    }
}
