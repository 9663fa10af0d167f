namespace BtrfsClone.Merging;

/// <summary>
/// What merging one file came to. Lengths are bytes of the file at <see cref="Path"/>, and their sum is its size.
/// </summary>
public sealed class MergeResult : ItemResult
{
    /// <summary>The file whose extents are shared.</summary>
    public string ReferencePath { get; internal init; } = "";

    /// <summary>The file that shares them now.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>Bytes that share the reference's extents since now (or would).</summary>
    public long DedupedLength { get; internal init; }

    /// <summary>Bytes that shared them already, and holes of both.</summary>
    public long SameLength { get; internal init; }

    /// <summary>
    /// Bytes that are the reference's, and cannot be shared: in one of the files they are inline, stored in the metadata.
    /// </summary>
    public long InlineLength { get; internal init; }

    /// <summary>
    /// The rest: bytes that differ or have no counterpart, and what would free nothing (preallocated space and holes of
    /// the file, an unaligned end unless it is the end of both files).
    /// </summary>
    public long DifferentLength { get; internal init; }
}
