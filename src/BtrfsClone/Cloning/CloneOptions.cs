namespace BtrfsClone.Cloning;

/// <summary>What becomes of content that cannot be cloned.</summary>
public enum ReflinkMode
{
    /// <summary>It is an error: nothing is ever copied silently.</summary>
    Always,

    /// <summary>Its bytes are copied in the kernel, holes kept, and counted.</summary>
    Auto,
}

/// <summary>What an entry of a directory is.</summary>
public enum EntryKind
{
    /// <summary>A regular file.</summary>
    File,

    /// <summary>A directory, or the root of a subvolume.</summary>
    Directory,

    /// <summary>A symbolic link itself, never what it points to.</summary>
    SymbolicLink,

    /// <summary>A named pipe.</summary>
    Fifo,

    /// <summary>A socket's name.</summary>
    Socket,

    /// <summary>A character device.</summary>
    CharacterDevice,

    /// <summary>A block device.</summary>
    BlockDevice,
}

/// <summary>
/// Says whether an entry below the given items is taken. A directory that is not taken is not entered.
/// It is asked on several threads at once.
/// </summary>
/// <param name="name">The entry's own name; bytes that are not UTF-8 are shown as U+FFFD.</param>
/// <param name="kind">What the entry is.</param>
public delegate bool EntryFilter(string name, EntryKind kind);

/// <summary>How an invocation clones.</summary>
public sealed record CloneOptions
{
    /// <summary>What becomes of content that cannot be cloned.</summary>
    public ReflinkMode Reflink { get; init; }

    /// <summary>Leave every file that exists at the destination, and report it.</summary>
    public bool NoClobber { get; init; }

    /// <summary>Replace also files that have no write permission bit.</summary>
    public bool Force { get; init; }

    /// <summary>
    /// All that the session clones appears when <see cref="CloneSession.Complete"/> is called, each name in one step
    /// with everything below it, or not at all. An existing directory is not merged into.
    /// </summary>
    public bool Atomic { get; init; }

    /// <summary>Clone what is below a directory, not only the directory itself.</summary>
    public bool Recurse { get; init; } = true;

    /// <summary>
    /// Clone the sources as they stood at one moment: from a temporary read-only snapshot of their subvolume, which is
    /// taken when the first item in it is reached, and removed with the session. It holds what a crash at that moment
    /// would have left; whatever a program had fsynced before it wrote something else is there whenever that is
    /// (unsynced writes may be missing, as after a crash). Each nested subvolume is a moment of its own, when it is
    /// reached. Source and destination have to be on one btrfs. Needs ownership of the subvolume's root directory (or
    /// CAP_FOWNER), and CAP_SYS_ADMIN or the mount option user_subvol_rm_allowed to remove the snapshot again.
    /// </summary>
    public bool PointInTime { get; init; }

    /// <summary>
    /// Only one item will be cloned. With <see cref="PointInTime"/>, its snapshot is removed as soon as the item is open,
    /// unless that is the subvolume's root.
    /// </summary>
    public bool SingleItem { get; init; }

    /// <summary>How many threads clone a tree, 1-64; 0 takes one for each processor.</summary>
    public int Workers { get; init; }

    /// <summary>Which entries below the given items are taken; all of them without a filter.</summary>
    public EntryFilter? Filter { get; init; }
}
