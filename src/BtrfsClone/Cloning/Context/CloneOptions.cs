using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>What becomes of content that cannot be cloned.</summary>
public enum ReflinkMode
{
    /// <summary>It is an error: nothing is ever copied silently.</summary>
    Always,

    /// <summary>Its bytes are copied in the kernel, holes kept, and counted.</summary>
    Auto,
}

/// <summary>Whether an existing file that is replaced is kept under another name.</summary>
public enum BackupMode
{
    /// <summary>It is not.</summary>
    None,

    /// <summary>As <c>NAME~</c>, which replaces the last such backup.</summary>
    Simple,

    /// <summary>As <c>NAME.~N~</c>, where N is one more than the highest that is there.</summary>
    Numbered,
}

/// <summary>Which symbolic links are followed: what they lead to is cloned under their names, and else they themselves.</summary>
public enum LinkMode
{
    /// <summary>None; an item that is a link is cloned as one.</summary>
    Keep,

    /// <summary>Items that are links.</summary>
    FollowNamed,

    /// <summary>All, also those below items. A file that several links lead to becomes as many files, which share its data.</summary>
    FollowAll,
}

/// <summary>How an invocation clones.</summary>
public sealed record CloneOptions
{
    /// <summary>The greatest number of <see cref="Workers"/>.</summary>
    public const int MaxWorkers = WorkerLimit.Most;

    private readonly int _workers;

    /// <summary>What becomes of content that cannot be cloned.</summary>
    public ReflinkMode Reflink { get; init; }

    /// <summary>Leave every file that exists at the destination, and report it.</summary>
    public bool NoClobber { get; init; }

    /// <summary>Replace also files that have no write permission bit.</summary>
    public bool Force { get; init; }

    /// <summary>Keep every file that is replaced under another name in its directory. Not with <see cref="Atomic"/>.</summary>
    public BackupMode Backup { get; init; }

    /// <summary>
    /// Leave what exists at the destination unless the source's modification time is later. Not with <see cref="Atomic"/>.
    /// </summary>
    public bool Update { get; init; }

    /// <summary>
    /// All that the session clones appears when <see cref="CloneSession.Complete"/> is called, each name in one step
    /// with everything below it, or not at all. An existing directory is not merged into.
    /// </summary>
    public bool Atomic { get; init; }

    /// <summary>
    /// Leave out what is in other filesystems that are mounted below an item, but for the directories that they are mounted on.
    /// Nested subvolumes belong to the filesystem.
    /// </summary>
    public bool OneFileSystem { get; init; }

    /// <summary>Which symbolic links are followed. Not with <see cref="PointInTime"/>, of which what they lead to is no part.</summary>
    public LinkMode Links { get; init; }

    /// <summary>
    /// Clone files and directories as NOCOW. Data of a source that is not NOCOW cannot be shared with them, so that
    /// <see cref="Reflink"/> says what becomes of it. Neither with <see cref="InheritProperty"/> nor with <see cref="Compression"/>.
    /// </summary>
    public bool NoCow { get; init; }

    /// <summary>
    /// Clones are NOCOW and compressed as new files of the destination's directory are, and existing directories keep what they
    /// have; nothing of it is taken from the source. Data of which only one side is NOCOW cannot be shared, as with
    /// <see cref="NoCow"/>. Not with <see cref="Compression"/>.
    /// </summary>
    public bool InheritProperty { get; init; }

    /// <summary>
    /// The compression of what is written later to the clones, and for directories to new files in them: a value of
    /// <see cref="CompressionProperty"/>. Null keeps the source's. What is NOCOW cannot be compressed and stays without.
    /// </summary>
    public string? Compression { get; init; }

    /// <summary>Clone what is below a directory, not only the directory itself.</summary>
    public bool Recurse { get; init; } = true;

    /// <summary>
    /// Clone the sources as they stood at one moment: from a temporary read-only snapshot of their subvolume, which is
    /// taken when the first item in it is reached, and removed with the session. It holds what a crash at that moment
    /// would have left; whatever a program had fsynced before it wrote something else is there whenever that is
    /// (unsynced writes may be missing, as after a crash). Each nested subvolume is a moment of its own, when it is
    /// reached. Source and destination have to be on one btrfs. Needs ownership of the subvolume's root directory (or
    /// CAP_FOWNER), and to remove the snapshot again CAP_SYS_ADMIN, the mount option user_subvol_rm_allowed, or ownership of all
    /// directories in it.
    /// </summary>
    public bool PointInTime { get; init; }

    /// <summary>
    /// With <see cref="PointInTime"/>: a subvolume of which the caller may not take a snapshot, or not remove one, is cloned
    /// without. Of each of its files the content is that of one moment, since FICLONE locks the file, and of two files it
    /// need not be the same one. <see cref="CloneSession.WithoutMoment"/> names what was cloned so.
    /// </summary>
    public bool PerFile { get; init; }

    /// <summary>
    /// Only one item will be cloned. With <see cref="PointInTime"/>, its snapshot is removed as soon as the item is open,
    /// unless that is the subvolume's root.
    /// </summary>
    public bool SingleItem { get; init; }

    /// <summary>
    /// How many threads clone a tree, up to <see cref="MaxWorkers"/>; 0 takes one for each processor. There are fewer where
    /// the process may not open files for so many.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative, or too great.</exception>
    public int Workers
    {
        get => _workers;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaxWorkers);
            _workers = value;
        }
    }

    /// <summary>Which entries below the given items are taken; all of them without a filter.</summary>
    public EntryFilter? Filter { get; init; }

    /// <summary>Makes what brings content to another filesystem, of which without it the bytes are copied.</summary>
    internal Func<CloneContext, IContentCarrier>? NewCarrier { get; init; }
}
