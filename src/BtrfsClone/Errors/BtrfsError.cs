namespace BtrfsClone;

/// <summary>
/// What went wrong, in the stable words that error records, JSON output and tests use as ids.
/// </summary>
public enum BtrfsError
{
    /// <summary>The source path names nothing (ENOENT), or leads through a circle of symbolic links (ELOOP).</summary>
    SourceNotFound,

    /// <summary>The directory that the destination is to be made in does not exist (ENOENT, ELOOP).</summary>
    DestinationNotFound,

    /// <summary>A path leads through what is no directory, or asks for one with a slash at its end (ENOTDIR).</summary>
    NotADirectory,

    /// <summary>A name is longer than the filesystem takes, or a path longer than the kernel does (ENAMETOOLONG).</summary>
    NameTooLong,

    /// <summary>Something stands at the destination that may not be replaced.</summary>
    DestinationExists,

    /// <summary>The file at the destination has no write permission bit, and replacing it was not forced.</summary>
    DestinationReadOnly,

    /// <summary>The destination is the source directory itself or lies below it.</summary>
    DestinationInsideSource,

    /// <summary>The item lies outside the base that its relative path was to be taken from.</summary>
    SourceOutsideBase,

    /// <summary>A symbolic link that is followed leads back to a directory on the way to it.</summary>
    LinkCycle,

    /// <summary>Source and destination are one and the same file.</summary>
    SameFile,

    /// <summary>
    /// This invocation itself has made what stands at the destination: two of its items have one name, and the first stays.
    /// </summary>
    JustCreated,

    /// <summary>Source and destination are on different filesystems, and extents are shared within one only (EXDEV).</summary>
    CrossDevice,

    /// <summary>The filesystem cannot clone (EOPNOTSUPP, ENOTTY).</summary>
    CloneNotSupported,

    /// <summary>
    /// The destination's filesystem cannot hold an xattr, an ACL, an inode flag or a kind of entry (EOPNOTSUPP, ENOTTY, EINVAL).
    /// </summary>
    MetadataNotSupported,

    /// <summary>
    /// One file has checksums and the other has none, as NOCOW files have, and that cannot be made equal (EINVAL).
    /// </summary>
    NoCowMismatch,

    /// <summary>The file is an active swap file (ETXTBSY, EPERM).</summary>
    SwapFile,

    /// <summary>A program runs from the file, or something else uses it (ETXTBSY, EBUSY, EAGAIN).</summary>
    FileBusy,

    /// <summary>The filesystem has no room left for data or metadata (ENOSPC).</summary>
    NoSpace,

    /// <summary>The file is larger than the process (RLIMIT_FSIZE) or the filesystem lets it be (EFBIG).</summary>
    FileTooLarge,

    /// <summary>The process, or the system, has as many files open as it may have (EMFILE, ENFILE).</summary>
    TooManyOpenFiles,

    /// <summary>The kernel has no memory left for the call (ENOMEM).</summary>
    OutOfMemory,

    /// <summary>A quota group's or user's limit is reached (EDQUOT).</summary>
    QuotaExceeded,

    /// <summary>File permissions, an inode flag or a missing capability forbid the call (EACCES, EPERM).</summary>
    PermissionDenied,

    /// <summary>
    /// The mount or the user namespace does not map the owner of what is made or changed (EOVERFLOW, EINVAL).
    /// </summary>
    OwnerNotMapped,

    /// <summary>The filesystem is mounted read-only, or the subvolume is read-only (EROFS).</summary>
    ReadOnlyFileSystem,

    /// <summary>The inode holds as many hard links as the filesystem can (EMLINK).</summary>
    TooManyLinks,

    /// <summary>Delayed allocation or write-back did not end within the time given.</summary>
    DelallocTimeout,

    /// <summary>The call needs a regular file, and this is something else.</summary>
    NotRegularFile,

    /// <summary>The filesystem is not btrfs, and the question is one that only btrfs answers.</summary>
    NotBtrfs,

    /// <summary>A range does not begin or end at a block of the filesystem, nor at an end of file.</summary>
    UnalignedRange,

    /// <summary>Source and destination are one file, and the ranges share blocks.</summary>
    OverlappingRanges,

    /// <summary>The range reaches beyond the end of the source.</summary>
    RangeBeyondEnd,

    /// <summary>The filesystem does not tell where its files lie (EOPNOTSUPP).</summary>
    FiemapNotSupported,

    /// <summary>The directory is not the root of a subvolume, and only subvolumes have snapshots.</summary>
    NotSubvolume,

    /// <summary>
    /// Something is mounted here that a snapshot of what surrounds it does not show, or the mount shows a part of a
    /// subvolume only, from which its root cannot be reached.
    /// </summary>
    MountInBetween,

    /// <summary>The item was moved, replaced or removed while it was worked on; what was done to it is undone.</summary>
    ChangedMeanwhile,

    /// <summary>
    /// The path holds what no name can: a NUL character, or half of a surrogate pair; or what the destination's filesystem
    /// lets no name hold (EINVAL, EILSEQ).
    /// </summary>
    InvalidPath,

    /// <summary>
    /// Something else failed, and all of it was to appear or nothing (<see cref="Cloning.CloneOptions.Atomic"/>): what
    /// had been cloned is removed again.
    /// </summary>
    Incomplete,

    /// <summary>proc is not mounted at /proc, where the kernel tells what is mounted below a directory.</summary>
    ProcNotMounted,

    /// <summary>
    /// Something that was to be temporary, or to be undone after a failure, could not be removed or put back: it is
    /// where the path says. What failed besides is an error of its own.
    /// </summary>
    LeftBehind,

    /// <summary>Any other failure of a system call; the message carries the kernel's words.</summary>
    IOError,
}
