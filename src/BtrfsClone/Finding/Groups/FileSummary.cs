namespace BtrfsClone.Finding;

/// <summary>A whole file: its content and addresses. Files with equal content sort together, the one to keep first.</summary>
internal struct FileSummary : IComparable<FileSummary>
{
    public long Size;

    /// <summary>The <see cref="RollingHash"/> of all its blocks.</summary>
    public ulong Hash;

    /// <summary>The number of stored blocks: zeros may be holes instead.</summary>
    public long Blocks;

    /// <summary>The number of blocks that may be freed with it.</summary>
    public long Freed;

    /// <summary>A hash of all its disk addresses.</summary>
    public ulong Storage;
    public int Pieces;
    public int File;

    public readonly bool HoldsTheSame(in FileSummary other) => Size == other.Size && Hash == other.Hash;

    public readonly int CompareTo(FileSummary other)
    {
        int order = Size.CompareTo(other.Size);
        order = order != 0 ? order : Hash.CompareTo(other.Hash);

        // The file with the most holes is kept, so that all have them afterwards; among these, the one that would free least, and
        // among equals, the one with the largest extents.
        order = order != 0 ? order : Blocks.CompareTo(other.Blocks);
        order = order != 0 ? order : Freed.CompareTo(other.Freed);
        order = order != 0 ? order : Pieces.CompareTo(other.Pieces);
        return order != 0 ? order : File.CompareTo(other.File);
    }
}
