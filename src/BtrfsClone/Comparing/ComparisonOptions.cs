namespace BtrfsClone.Comparing;

/// <summary>Options of a comparison.</summary>
public sealed record ComparisonOptions
{
    /// <summary>
    /// Skip other filesystems that are mounted below the directories. Kernel filesystems (proc, sysfs) are always skipped; nested
    /// subvolumes count as part of the filesystem.
    /// </summary>
    public bool OneFileSystem { get; init; }

    /// <summary>False to compare as a caller that may not read the trees.</summary>
    internal bool MayReadTrees { get; init; } = true;
}
