namespace BtrfsClone.Delalloc;

/// <summary>Options for waiting.</summary>
public sealed record DelallocOptions
{
    /// <summary>
    /// How long to wait for each item after it is added; null is without limit. An item that exceeds it fails with
    /// <see cref="BtrfsError.DelallocTimeout"/>.
    /// </summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Start writeback of dirty data; otherwise only wait until the kernel or another process does.</summary>
    public bool Flush { get; init; } = true;

    /// <summary>
    /// Skip other filesystems that are mounted below the directories. Kernel filesystems (proc, sysfs) are always skipped; nested
    /// subvolumes count as part of the filesystem.
    /// </summary>
    public bool OneFileSystem { get; init; }
}
