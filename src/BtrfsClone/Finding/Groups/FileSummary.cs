namespace BtrfsClone.Finding;

/// <summary>A whole file: what it holds, and where. Files that hold the same sort together, first the one to keep.</summary>
internal struct FileSummary : IComparable<FileSummary>
{
    public long Size;

    /// <summary>The <see cref="RollingHash"/> of all its blocks.</summary>
    public ulong Hash;

    /// <summary>Blocks that are stored: zeros may be holes instead.</summary>
    public long Blocks;

    /// <summary>What would perhaps come free with it, in blocks.</summary>
    public long Freed;

    /// <summary>A hash of where all of it lies.</summary>
    public ulong Storage;
    public int Pieces;
    public int File;

    public readonly bool HoldsTheSame(in FileSummary other) => Size == other.Size && Hash == other.Hash;

    public readonly int CompareTo(FileSummary other)
    {
        int order = Size.CompareTo(other.Size);
        order = order != 0 ? order : Hash.CompareTo(other.Hash);

        // What has the most holes is kept, so that all have them afterwards; of such files, what frees least, and of what frees
        // the same, what has the largest extents.
        order = order != 0 ? order : Blocks.CompareTo(other.Blocks);
        order = order != 0 ? order : Freed.CompareTo(other.Freed);
        order = order != 0 ? order : Pieces.CompareTo(other.Pieces);
        return order != 0 ? order : File.CompareTo(other.File);
    }
}
