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
    /// The rest: bytes that differ or have no counterpart, and what cannot be shared or would free nothing (inline
    /// data, preallocated space and holes of the file, an unaligned end unless it is the end of both files).
    /// </summary>
    public required long DifferentLength { get; init; }
}
