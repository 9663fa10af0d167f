namespace BtrfsClone.Merging;

/// <summary>
/// What merging one file came to. Lengths are bytes of the file at <see cref="Path"/>, and their sum is its size.
/// </summary>
public sealed record MergeResult
{
    /// <summary>The file whose extents are shared.</summary>
    public required string ReferencePath { get; init; }

    /// <summary>The file that shares them now.</summary>
    public required string Path { get; init; }

    /// <summary>Bytes that share the reference's extents since now (or would).</summary>
    public required long DedupedLength { get; init; }

    /// <summary>Bytes that shared them already, and holes of both.</summary>
    public required long SameLength { get; init; }

    /// <summary>
    /// Bytes that are the reference's, and cannot be shared: in one of the files they are inline, stored in the metadata.
    /// </summary>
    public required long InlineLength { get; init; }

    /// <summary>
    /// The rest: bytes that differ or have no counterpart, and what would free nothing (preallocated space and holes of
    /// the file, an unaligned end unless it is the end of both files).
    /// </summary>
    public required long DifferentLength { get; init; }
}
