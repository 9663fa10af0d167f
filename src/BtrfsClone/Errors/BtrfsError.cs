namespace BtrfsClone;

/// <summary>The kinds of errors. The names are stable ids in error records, JSON output and tests.</summary>
public enum BtrfsError
{
    /// <summary>The source path does not exist (ENOENT), or contains a loop of symbolic links (ELOOP).</summary>
    SourceNotFound,

    /// <summary>The directory in which the destination is to be created does not exist (ENOENT, ELOOP).</summary>
    DestinationNotFound,

    /// <summary>A path component is not a directory, or a path with a trailing slash is not one (ENOTDIR).</summary>
    NotADirectory,

    /// <summary>A name is too long for the filesystem, or a path too long for the kernel (ENAMETOOLONG).</summary>
    NameTooLong,

    /// <summary>The destination exists and may not be replaced.</summary>
    DestinationExists,

    /// <summary>The destination file has no write permission bit, and replacing it was not forced.</summary>
    DestinationReadOnly,

    /// <summary>The destination is the source directory or is below it.</summary>
    DestinationInsideSource,

    /// <summary>The item is outside the base directory of its relative path.</summary>
    SourceOutsideBase,

    /// <summary>A symbolic link that is followed leads back to one of its parent directories.</summary>
    LinkCycle,

    /// <summary>Source and destination are the same file.</summary>
    SameFile,

    /// <summary>The destination was created by this invocation: two of its items have the same name, and the first one is kept.</summary>
    JustCreated,

    /// <summary>Source and destination are on different filesystems, and extents can only be shared within one (EXDEV).</summary>
    CrossDevice,

    /// <summary>The filesystem does not support cloning (EOPNOTSUPP, ENOTTY).</summary>
    CloneNotSupported,

    /// <summary>
    /// The destination's filesystem cannot store an xattr, an ACL, an inode flag or a type of entry (EOPNOTSUPP, ENOTTY, EINVAL).
    /// </summary>
    MetadataNotSupported,

    /// <summary>Only one of the files has checksums (NOCOW files have none), and this cannot be changed (EINVAL).</summary>
    NoCowMismatch,

    /// <summary>The file is an active swap file (ETXTBSY, EPERM).</summary>
    SwapFile,

    /// <summary>The file is being executed, or is in use otherwise (ETXTBSY, EBUSY, EAGAIN).</summary>
    FileBusy,

    /// <summary>The filesystem has no space left for data or metadata (ENOSPC).</summary>
    NoSpace,

    /// <summary>The file exceeds the size limit of the process (RLIMIT_FSIZE) or of the filesystem (EFBIG).</summary>
    FileTooLarge,

    /// <summary>The process or the system has reached its limit of open files (EMFILE, ENFILE).</summary>
    TooManyOpenFiles,

    /// <summary>The kernel has insufficient memory for the call (ENOMEM).</summary>
    OutOfMemory,

    /// <summary>The limit of a quota group or user is reached (EDQUOT).</summary>
    QuotaExceeded,

    /// <summary>File permissions, an inode flag or a missing capability forbid the call (EACCES, EPERM).</summary>
    PermissionDenied,

    /// <summary>The mount or the user namespace does not map the owner of the entry to create or change (EOVERFLOW, EINVAL).</summary>
    OwnerNotMapped,

    /// <summary>The filesystem is mounted read-only, or the subvolume is read-only (EROFS).</summary>
    ReadOnlyFileSystem,

    /// <summary>The inode has the maximum number of hard links of the filesystem (EMLINK).</summary>
    TooManyLinks,

    /// <summary>Delayed allocation or writeback did not end within the given time.</summary>
    DelallocTimeout,

    /// <summary>The call requires a regular file, and this is not one.</summary>
    NotRegularFile,

    /// <summary>The filesystem is not btrfs, and the operation requires btrfs.</summary>
    NotBtrfs,

    /// <summary>The start or end of a range is neither a multiple of the filesystem's block size nor the end of the file.</summary>
    UnalignedRange,

    /// <summary>Source and destination are the same file, and the ranges overlap.</summary>
    OverlappingRanges,

    /// <summary>The range extends beyond the end of the source.</summary>
    RangeBeyondEnd,

    /// <summary>The filesystem does not report the location of file data (EOPNOTSUPP).</summary>
    FiemapNotSupported,

    /// <summary>The directory is not the root of a subvolume, and only subvolumes can be snapshotted.</summary>
    NotSubvolume,

    /// <summary>
    /// Another filesystem is mounted here that a snapshot does not include, or the mount shows only part of a subvolume, whose root
    /// cannot be reached from it.
    /// </summary>
    MountInBetween,

    /// <summary>The item was moved, replaced or removed during the operation; changes to it are undone.</summary>
    ChangedMeanwhile,

    /// <summary>
    /// The path contains characters that no name can contain: a NUL character, or half of a surrogate pair; or that the
    /// destination's filesystem does not allow in names (EINVAL, EILSEQ).
    /// </summary>
    InvalidPath,

    /// <summary>
    /// Another item failed, and all or nothing was to appear (<see cref="Cloning.CloneOptions.Atomic"/>): what had been cloned is
    /// removed again.
    /// </summary>
    Incomplete,

    /// <summary>proc is not mounted at /proc, where the kernel lists the mounts below a directory.</summary>
    ProcNotMounted,

    /// <summary>
    /// A temporary file could not be removed, or a change not be undone after a failure: it is left at the path. The original
    /// failure is reported separately.
    /// </summary>
    LeftBehind,

    /// <summary>Any other failure of a system call; the message contains the kernel's error text.</summary>
    IOError,
}
