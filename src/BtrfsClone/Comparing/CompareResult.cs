namespace BtrfsClone.Comparing;

/// <summary>
/// The result of comparing a file, or all files of a tree by relative path, with a reference. Lengths are bytes of the files at
/// <see cref="Path"/>. Modes, owners, times and other metadata are not compared.
/// </summary>
public sealed class CompareResult : ItemResult
{
    /// <summary>The reference.</summary>
    public string ReferencePath { get; internal init; } = "";

    /// <summary>The file or tree.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>Regular files at <see cref="Path"/> that were compared, or have no counterpart.</summary>
    public long Files { get; internal init; }

    /// <summary>The sum of the sizes of these files.</summary>
    public long Length { get; internal init; }

    /// <summary>Bytes with the same disk address as those at the same offset of the reference; holes in both count.</summary>
    public long SharedLength { get; internal init; }

    /// <summary>
    /// Bytes that equal the reference's, but are stored inline in the metadata of one of the files, so that they cannot be shared.
    /// </summary>
    public long InlineLength { get; internal init; }

    /// <summary>The rest of <see cref="Length"/>: bytes that are not shared.</summary>
    public long ExclusiveLength => Length - SharedLength - InlineLength;

    /// <summary>
    /// <see cref="SharedLength"/> divided by <see cref="Length"/> without <see cref="InlineLength"/>, from 0 to 1; 1 if there is
    /// nothing to share. Null for entries that only the reference has.
    /// </summary>
    public double? SharedRatio { get; internal init; }

    /// <summary>
    /// The part of <see cref="SharedLength"/> and <see cref="InlineLength"/> that was compared by reading the content, since its
    /// address is not sufficient: inline data and, if btrfs's trees may not be read, compressed data.
    /// </summary>
    public long ComparedLength { get; internal init; }

    /// <summary>
    /// Whether it is a clone: of the same size as the reference, with every byte shared or inline; for a tree, with the same
    /// entries, where each file is a clone and each link has the same target.
    /// </summary>
    public bool IsClone { get; internal init; }

    /// <summary>Relative paths of entries that only the reference has; nothing below such a directory is listed.</summary>
    public IReadOnlyList<string> OnlyInReference { get; internal init; } = [];

    /// <summary>Relative paths of entries that the reference does not have; nothing below such a directory is listed.</summary>
    public IReadOnlyList<string> OnlyInPath { get; internal init; } = [];

    /// <summary>
    /// Relative paths of entries that differ in type or target: a file and a directory, links with different targets, two devices.
    /// </summary>
    public IReadOnlyList<string> Different { get; internal init; } = [];

    /// <summary>Entries that could not be compared; each was reported individually, and a tree with failures is not a clone.</summary>
    public long Failed { get; internal init; }
}
