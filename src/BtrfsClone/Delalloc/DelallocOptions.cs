namespace BtrfsClone.Delalloc;

/// <summary>How an invocation waits.</summary>
public sealed record DelallocOptions
{
    /// <summary>
    /// How long to wait for each item, from when it is added; without it, as long as it takes. What is past it fails
    /// with <see cref="BtrfsError.DelallocTimeout"/>.
    /// </summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Start write-out of what is dirty; otherwise only wait until the kernel or somebody else does.</summary>
    public bool Flush { get; init; } = true;

    /// <summary>
    /// Leave out other filesystems that are mounted below the directories. Those of the kernel's own (proc, sysfs) are left out in
    /// any case; nested subvolumes belong to the filesystem.
    /// </summary>
    public bool OneFileSystem { get; init; }
}
