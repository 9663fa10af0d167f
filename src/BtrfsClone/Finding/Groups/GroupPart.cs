namespace BtrfsClone.Finding;

/// <summary>Data of a file that is to share the extents of other data, which is its source: parts of one group sort together.</summary>
internal struct GroupPart : IComparable<GroupPart>
{
    /// <summary>In bytes.</summary>
    public long Length;

    /// <summary>The offset of the source data in its file.</summary>
    public long SourceBlock;

    public long Block;

    /// <summary>Identifies where the data is stored now: parts with the same number are one copy.</summary>
    public long Storage;
    public int SourceFile;
    public int File;

    /// <summary>Whether these are whole files.</summary>
    public bool IsFile;

    /// <summary>It already shares its extents, or will when the group of its whole file is merged.</summary>
    public bool IsTwin;

    public readonly bool IsOfGroup(in GroupPart other) =>
        IsFile == other.IsFile && SourceFile == other.SourceFile && SourceBlock == other.SourceBlock &&
        Length == other.Length;

    public readonly int CompareTo(GroupPart other)
    {
        int order = other.IsFile.CompareTo(IsFile);
        order = order != 0 ? order : SourceFile.CompareTo(other.SourceFile);
        order = order != 0 ? order : SourceBlock.CompareTo(other.SourceBlock);
        order = order != 0 ? order : Length.CompareTo(other.Length);
        order = order != 0 ? order : Storage.CompareTo(other.Storage);
        order = order != 0 ? order : IsTwin.CompareTo(other.IsTwin);
        order = order != 0 ? order : File.CompareTo(other.File);
        return order != 0 ? order : Block.CompareTo(other.Block);
    }
}

/// <summary>A file that will share all extents of another one. Sorted by the other one.</summary>
internal readonly record struct Twin(int Kept, int File) : IComparable<Twin>
{
    public int CompareTo(Twin other) => Kept != other.Kept ? Kept.CompareTo(other.Kept) : File.CompareTo(other.File);
}
