namespace BtrfsClone.Merging;

/// <summary>The result of merging one file. Lengths are bytes of the file at <see cref="Path"/>, and their sum is its size.</summary>
public sealed class MergeResult : ItemResult
{
    /// <summary>The file whose extents are shared.</summary>
    public string ReferencePath { get; internal init; } = "";

    /// <summary>The file that now shares them.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>Bytes that now share the reference's extents (or would).</summary>
    public long DedupedLength { get; internal init; }

    /// <summary>Bytes that were already shared, and holes in both files.</summary>
    public long SameLength { get; internal init; }

    /// <summary>
    /// Bytes that equal the reference's, but cannot be shared: in one of the files they are stored inline in the metadata.
    /// </summary>
    public long InlineLength { get; internal init; }

    /// <summary>
    /// The rest: bytes that differ or have no counterpart, and bytes whose merging would free nothing (preallocated space and holes
    /// of the file, and an unaligned end unless it is the end of both files).
    /// </summary>
    public long DifferentLength { get; internal init; }
}
