namespace BtrfsClone.Finding;

/// <summary>A place where the data of a <see cref="BtrfsDuplicate"/> is stored.</summary>
/// <param name="path">The file.</param>
/// <param name="offset">The offset of the data in the file.</param>
public sealed class DuplicatePlace(string path, long offset) : ItemResult
{
    /// <summary>The file; bytes of its path that are not UTF-8 are encoded as in <see cref="PathText"/>.</summary>
    public override string Path { get; internal init; } = path;

    /// <summary>The offset of the data in the file, in bytes.</summary>
    public long Offset { get; } = offset;
}
