using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>What to do with content that cannot be cloned.</summary>
public enum ReflinkMode
{
    /// <summary>Fail: data is never copied silently.</summary>
    Always,

    /// <summary>Copy the data in the kernel, preserve holes, and count it.</summary>
    Auto,
}

/// <summary>Whether an existing file that is replaced is kept under another name.</summary>
public enum BackupMode
{
    /// <summary>No backup.</summary>
    None,

    /// <summary>As <c>NAME~</c>, which replaces the last such backup.</summary>
    Simple,

    /// <summary>As <c>NAME.~N~</c>, where N is one more than the highest existing number.</summary>
    Numbered,
}

/// <summary>
/// Which symbolic links are followed: their targets are cloned under the links' names. All other links are cloned as links.
/// </summary>
public enum LinkMode
{
    /// <summary>None; an item that is a link is cloned as a link.</summary>
    Keep,

    /// <summary>Items that are links.</summary>
    FollowNamed,

    /// <summary>
    /// All, including those below items. If several links point to one file, it is cloned once per link, and these clones share its
    /// data.
    /// </summary>
    FollowAll,
}

/// <summary>Options of a clone session.</summary>
public sealed record CloneOptions
{
    /// <summary>The maximum value of <see cref="Workers"/>.</summary>
    public const int MaxWorkers = WorkerLimit.Most;

    private readonly int _workers;

    /// <summary>What to do with content that cannot be cloned.</summary>
    public ReflinkMode Reflink { get; init; }

    /// <summary>Keep every file that exists at the destination, and report it.</summary>
    public bool NoClobber { get; init; }

    /// <summary>Also replace files without a write permission bit.</summary>
    public bool Force { get; init; }

    /// <summary>Keep every replaced file under another name in its directory. Cannot be combined with <see cref="Atomic"/>.</summary>
    public BackupMode Backup { get; init; }

    /// <summary>
    /// Keep existing destination files unless the source's modification time is later. Cannot be combined with
    /// <see cref="Atomic"/>.
    /// </summary>
    public bool Update { get; init; }

    /// <summary>
    /// Everything that the session clones appears when <see cref="CloneSession.Complete"/> is called, each name atomically with
    /// everything below it, or not at all. Existing directories are not merged into.
    /// </summary>
    public bool Atomic { get; init; }

    /// <summary>
    /// Skip other filesystems that are mounted below an item, except for the directories that they are mounted on. Nested
    /// subvolumes count as part of the filesystem.
    /// </summary>
    public bool OneFileSystem { get; init; }

    /// <summary>
    /// Which symbolic links are followed. Cannot be combined with <see cref="PointInTime"/>, since the snapshot does not contain
    /// their targets.
    /// </summary>
    public LinkMode Links { get; init; }

    /// <summary>
    /// Clone files and directories as NOCOW. They cannot share data with a source that is not NOCOW; <see cref="Reflink"/> decides
    /// what happens to it. Cannot be combined with <see cref="InheritProperty"/> or <see cref="Compression"/>.
    /// </summary>
    public bool NoCow { get; init; }

    /// <summary>
    /// Clones get NOCOW and compression from the destination directory, as new files there do, and existing directories keep
    /// theirs; nothing of this is taken from the source. Data cannot be shared if only one side is NOCOW, as with
    /// <see cref="NoCow"/>. Cannot be combined with <see cref="Compression"/>.
    /// </summary>
    public bool InheritProperty { get; init; }

    /// <summary>
    /// The compression of data written to the clones later, and for directories, of new files in them: a value of
    /// <see cref="CompressionProperty"/>. Null keeps the source's. NOCOW files cannot be compressed and stay uncompressed.
    /// </summary>
    public string? Compression { get; init; }

    /// <summary>Clone everything below a directory, not only the directory itself.</summary>
    public bool Recurse { get; init; } = true;

    /// <summary>
    /// Clone the sources as they were at one point in time: from a temporary read-only snapshot of their subvolume, which is taken
    /// when the first item in it is reached, and removed with the session. It holds what a crash at that moment would have left;
    /// data that a program had fsynced before it wrote other data is present whenever the other data is (unsynced writes may be
    /// missing, as after a crash). Each nested subvolume has its own point in time, when it is reached. Source and destination must
    /// be on one btrfs. Requires ownership of the subvolume's root directory (or CAP_FOWNER), and to remove the snapshot again
    /// CAP_SYS_ADMIN, the mount option user_subvol_rm_allowed, or ownership of all directories in it.
    /// </summary>
    public bool PointInTime { get; init; }

    /// <summary>
    /// With <see cref="PointInTime"/>: a subvolume of which the caller may not create or remove a snapshot is cloned without one.
    /// The content of each file is then of one point in time, since FICLONE locks the file, but that of two files may be of two
    /// different ones. <see cref="CloneSession.WithoutMoment"/> lists what was cloned this way.
    /// </summary>
    public bool PerFile { get; init; }

    /// <summary>
    /// Only one item will be cloned. With <see cref="PointInTime"/>, its snapshot is removed as soon as the item is open, unless
    /// the item is the subvolume's root.
    /// </summary>
    public bool SingleItem { get; init; }

    /// <summary>
    /// The number of threads that clone a tree, up to <see cref="MaxWorkers"/>; 0 uses one per processor. Fewer are used if the
    /// process may not open enough files for all of them.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or too large.</exception>
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

    /// <summary>Which entries below the given items are included; null includes all.</summary>
    public EntryFilter? Filter { get; init; }

    /// <summary>Creates the object that copies content to another filesystem; without it, plain bytes are copied.</summary>
    internal Func<CloneContext, IContentCarrier>? NewCarrier { get; init; }
}
