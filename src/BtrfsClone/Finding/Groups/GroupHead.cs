namespace BtrfsClone.Finding;

/// <summary>A group of data that is the same, by its number; its parts follow each other.</summary>
internal struct GroupHead
{
    public long FirstPart;

    /// <summary>Bytes of each part.</summary>
    public long Length;
    public int Parts;

    /// <summary>How often the data is stored.</summary>
    public int Copies;
    public bool IsFile;
}

/// <summary>A group by what it gains: the largest gain first, and of the same gain, what is stored most often.</summary>
/// <param name="Gain">Bytes that come free.</param>
/// <param name="Spare">Bytes that are stored once more than needed.</param>
/// <param name="Group">The group's number.</param>
internal readonly record struct RankedGroup(long Gain, long Spare, long Group) : IComparable<RankedGroup>
{
    public int CompareTo(RankedGroup other)
    {
        int order = other.Gain.CompareTo(Gain);
        order = order != 0 ? order : other.Spare.CompareTo(Spare);
        return order != 0 ? order : Group.CompareTo(other.Group);
    }
}

/// <summary>A part of a file that is to share, by its place.</summary>
internal readonly record struct Move(int File, long Block, long Blocks, long Group) : IComparable<Move>
{
    public int CompareTo(Move other) => File != other.File ? File.CompareTo(other.File) : Block.CompareTo(other.Block);
}

/// <summary>Blocks of an extent that lose a reference with a group.</summary>
internal readonly record struct ExtentMove(int Extent, long Blocks, long Group) : IComparable<ExtentMove>
{
    public int CompareTo(ExtentMove other) =>
        Extent != other.Extent ? Extent.CompareTo(other.Extent) : Group.CompareTo(other.Group);
}

/// <summary>Bytes that come free with a group.</summary>
internal readonly record struct Gain(long Group, long Bytes) : IComparable<Gain>
{
    public int CompareTo(Gain other) => Group.CompareTo(other.Group);
}
