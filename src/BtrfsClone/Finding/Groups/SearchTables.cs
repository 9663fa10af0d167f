namespace BtrfsClone.Finding;

/// <summary>
/// A piece by its slots: each block that is searched has one, in the order of where blocks lie, with an empty slot
/// after blocks that have no neighbour.
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

/// <summary>A piece by its place in the file. Sorted by that.</summary>
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

    /// <summary>Not all of it is known.</summary>
    public bool IsUnknown;

    public readonly int CompareTo(FilePiece other) =>
        File != other.File ? File.CompareTo(other.File) : FileBlock.CompareTo(other.FileBlock);
}

/// <summary>Whether an extent would come free if nothing that is searched referred to it any more.</summary>
internal enum Holder : byte
{
    None,

    /// <summary>A snapshot may hold it, which is only asked for where it matters.</summary>
    PerhapsSnapshot,

    /// <summary>Something does that is not searched, or cannot be changed.</summary>
    Other,
}

/// <summary>An extent of which anything is searched.</summary>
internal struct ExtentEntry
{
    /// <summary>Where it begins, in bytes of the filesystem's logical addresses.</summary>
    public long Disk;

    /// <summary>Blocks of all pieces together.</summary>
    public long PieceBlocks;

    public int DiskBlocks;

    /// <summary>References from what is searched.</summary>
    public int Pieces;

    public Holder Holder;
}

/// <summary>What a search has found out, by number.</summary>
internal sealed class SearchTables(WorkingMemory memory, FileTable files, int blockSize) : IDisposable
{
    public WorkingMemory Memory => memory;

    public FileTable Files => files;

    /// <summary>Bytes of a block.</summary>
    public int BlockSize => blockSize;

    /// <summary>The key of each slot; an empty one has <see cref="IBlockKeys.Unknown"/>.</summary>
    public SpillList<ulong> Keys { get; } = new(memory);

    /// <summary>The pieces by slot.</summary>
    public SpillList<SlotPiece> Pieces { get; } = new(memory);

    public Sorter<FilePiece> FilePieces { get; } = new(memory);

    /// <summary>The extents by number, in the order of where they lie.</summary>
    public SpillList<ExtentEntry> Extents { get; } = new(memory);

    /// <summary>Blocks of all extents that are searched.</summary>
    public long Blocks { get; set; }

    /// <summary>How many blocks a file has, the last one perhaps in part.</summary>
    public long BlocksOf(long size) => (size + blockSize - 1) / blockSize;

    public void Dispose()
    {
        Keys.Dispose();
        Pieces.Dispose();
        FilePieces.Dispose();
        Extents.Dispose();
    }
}
