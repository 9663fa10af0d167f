using System.Text.Json.Serialization;

namespace BtrfsClone.Merging;

/// <summary>
/// What merging one file came to. Lengths are bytes of the file at <see cref="Path"/>, and their sum is its size.
/// </summary>
public sealed class MergeResult
{
    /// <summary>The file whose extents are shared.</summary>
    public string ReferencePath { get; internal init; } = "";

    /// <summary>The file that shares them now.</summary>
    public string Path { get; internal init; } = "";

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

    /// <summary>The last name of <see cref="Path"/>.</summary>
    [JsonIgnore]
    public string Name => PathText.NameOf(Path);

    /// <summary><see cref="Path"/>, as files and directories call it.</summary>
    [JsonIgnore]
    public string FullName => Path;

    /// <summary><see cref="Path"/>, as parameters call it that take literal paths from a pipeline.</summary>
    [JsonIgnore]
    public string PSPath => Path;
}
