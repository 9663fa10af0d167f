namespace BtrfsClone.Finding;

/// <summary>A place that holds the data of a <see cref="BtrfsDuplicate"/>.</summary>
/// <param name="path">The file.</param>
/// <param name="offset">Where in it the data begins.</param>
public sealed class DuplicatePlace(string path, long offset) : ItemResult
{
    /// <summary>The file; bytes of its path that are not UTF-8 are as <see cref="PathText"/> has them.</summary>
    public override string Path { get; internal init; } = path;

    /// <summary>Where in the file the data begins, in bytes.</summary>
    public long Offset { get; } = offset;
}
