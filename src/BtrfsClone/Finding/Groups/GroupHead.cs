namespace BtrfsClone.Finding;

/// <summary>A group of equal data, by its number; its parts are consecutive.</summary>
internal struct GroupHead
{
    public long FirstPart;

    /// <summary>The length of each part in bytes.</summary>
    public long Length;
    public int Parts;

    /// <summary>The number of copies.</summary>
    public int Copies;
    public bool IsFile;
}

/// <summary>A group by its gain: the largest gain first, and for equal gains, the data with the most copies.</summary>
/// <param name="Gain">The bytes freed.</param>
/// <param name="Spare">The bytes in redundant copies.</param>
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

/// <summary>A part of a file that is to share, by its position.</summary>
internal readonly record struct Move(int File, long Block, long Blocks, long Group) : IComparable<Move>
{
    public int CompareTo(Move other) => File != other.File ? File.CompareTo(other.File) : Block.CompareTo(other.Block);
}

/// <summary>Blocks of an extent that lose a reference when a group is merged.</summary>
internal readonly record struct ExtentMove(int Extent, long Blocks, long Group) : IComparable<ExtentMove>
{
    public int CompareTo(ExtentMove other) =>
        Extent != other.Extent ? Extent.CompareTo(other.Extent) : Group.CompareTo(other.Group);
}

/// <summary>The bytes freed by a group.</summary>
internal readonly record struct Gain(long Group, long Bytes) : IComparable<Gain>
{
    public int CompareTo(Gain other) => Group.CompareTo(other.Group);
}
