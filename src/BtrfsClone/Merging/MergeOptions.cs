namespace BtrfsClone.Merging;

/// <summary>Options of a merge.</summary>
public sealed record MergeOptions
{
    /// <summary>Only compare, by reading, and count what would be shared.</summary>
    public bool Preview { get; init; }

    /// <summary>
    /// Skip other filesystems that are mounted below the directories. Kernel filesystems (proc, sysfs) are always skipped; nested
    /// subvolumes count as part of the filesystem.
    /// </summary>
    public bool OneFileSystem { get; init; }
}
