namespace BtrfsClone.Merging;

/// <summary>How an invocation merges.</summary>
public sealed record MergeOptions
{
    /// <summary>Only compares, by reading, and counts what would be shared.</summary>
    public bool Preview { get; init; }

    /// <summary>
    /// Leave out other filesystems that are mounted below the directories. Those of the kernel's own (proc, sysfs) are left out in
    /// any case; nested subvolumes belong to the filesystem.
    /// </summary>
    public bool OneFileSystem { get; init; }
}
