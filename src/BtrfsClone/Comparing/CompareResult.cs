namespace BtrfsClone.Comparing;

/// <summary>
/// What comparing a file, or all files of a tree by their relative paths, with a reference came to. Lengths are bytes of
/// the files at <see cref="Path"/>. Modes, owners, times and other metadata have no part in it.
/// </summary>
public sealed class CompareResult : ItemResult
{
    /// <summary>What it was compared with.</summary>
    public string ReferencePath { get; internal init; } = "";

    /// <summary>The file or tree.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>Regular files at <see cref="Path"/> that were compared, or have no counterpart.</summary>
    public long Files { get; internal init; }

    /// <summary>The sizes of those files together.</summary>
    public long Length { get; internal init; }

    /// <summary>
    /// Bytes that are stored in the very same place as those at the same offset of the reference; holes of both count.
    /// </summary>
    public long SharedLength { get; internal init; }

    /// <summary>
    /// Bytes that are those of the reference, but inline in one of the files, stored in its metadata: they cannot be shared.
    /// </summary>
    public long InlineLength { get; internal init; }

    /// <summary>The rest of <see cref="Length"/>: bytes of its own.</summary>
    public long ExclusiveLength => Length - SharedLength - InlineLength;

    /// <summary>
    /// <see cref="SharedLength"/> divided by <see cref="Length"/> without <see cref="InlineLength"/>, from 0 to 1; 1 where
    /// there is nothing to share. Null for what only the reference has.
    /// </summary>
    public double? SharedRatio { get; internal init; }

    /// <summary>
    /// The part of <see cref="SharedLength"/> and <see cref="InlineLength"/> that was compared by content, by reading it,
    /// since its place does not tell: inline data and, where btrfs's trees may not be read, compressed data.
    /// </summary>
    public long ComparedLength { get; internal init; }

    /// <summary>
    /// Whether it is a clone: as long as the reference, with every byte shared or inline; for a tree, with the same entries, each
    /// file a clone and each link leading where the reference's does.
    /// </summary>
    public bool IsClone { get; internal init; }

    /// <summary>Relative paths of what only the reference has; below a directory nothing more is listed.</summary>
    public IReadOnlyList<string> OnlyInReference { get; internal init; } = [];

    /// <summary>Relative paths of what the reference does not have; below a directory nothing more is listed.</summary>
    public IReadOnlyList<string> OnlyInPath { get; internal init; } = [];

    /// <summary>
    /// Relative paths of what is something else in the reference: a file and a directory, links that lead elsewhere,
    /// two devices.
    /// </summary>
    public IReadOnlyList<string> Different { get; internal init; } = [];

    /// <summary>What could not be compared; each was reported on its own, and nothing with it is a clone.</summary>
    public long Failed { get; internal init; }
}
