namespace BtrfsClone.Finding;

/// <summary>A place that holds the data of a <see cref="BtrfsDuplicate"/>.</summary>
public sealed record DuplicatePlace
{
    /// <summary>The file; bytes of its path that are not UTF-8 are as <see cref="PathText"/> has them.</summary>
    public string Path { get; init; } = "";

    /// <summary>Where in the file the data begins, in bytes.</summary>
    public long Offset { get; init; }
}
