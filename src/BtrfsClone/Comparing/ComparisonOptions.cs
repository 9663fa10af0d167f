namespace BtrfsClone.Comparing;

/// <summary>How an invocation compares.</summary>
public sealed record ComparisonOptions
{
    /// <summary>
    /// Leave out other filesystems that are mounted below the directories. Those of the kernel's own (proc, sysfs) are left out in
    /// any case; nested subvolumes belong to the filesystem.
    /// </summary>
    public bool OneFileSystem { get; init; }

    /// <summary>False to compare as those do who may not read the trees.</summary>
    internal bool MayReadTrees { get; init; } = true;
}
