using BtrfsClone.Interop;

namespace BtrfsClone;

/// <summary>
/// The meaning of each errno of each call, on each side: the only place that interprets an errno for the user. The mappings are
/// those of the manual pages and of fs/btrfs, fs/remap_range.c and fs/namei.c.
/// </summary>
internal static class ErrorTable
{
    private const string SeeKernelLog = "See the kernel log (dmesg) for what it has found.";

    /// <summary>The meaning of a failed call.</summary>
    /// <param name="call">The call; none if only the errno is known.</param>
    /// <param name="errno">Its error number.</param>
    /// <param name="atSource">Whether the path is that of the source, not the destination.</param>
    /// <param name="isNamed">Whether the path was given by the caller, not found by listing a directory.</param>
    public static ErrorMeaning Of(SystemCall call, Errno errno, bool atSource, bool isNamed) => errno switch
    {
        Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP or Errno.ESTALE => Missing(call, errno, atSource, isNamed),
        Errno.EEXIST or Errno.ENOTEMPTY => BtrfsError.DestinationExists,
        Errno.EISDIR => atSource || IsSharing(call) || call is SystemCall.Pread or SystemCall.Read
            ? BtrfsError.NotRegularFile
            : ErrorMeaning.OtherTypeInTheWay,
        Errno.ENXIO or Errno.ENODEV when call == SystemCall.OpenAt =>
            isNamed ? BtrfsError.NotRegularFile : BtrfsError.ChangedMeanwhile,
        Errno.ENODATA or Errno.ERANGE when call is SystemCall.GetXattr or SystemCall.ListXattr =>
            BtrfsError.ChangedMeanwhile,
        Errno.EACCES or Errno.EPERM => Forbidden(call),
        Errno.EROFS => BtrfsError.ReadOnlyFileSystem,
        Errno.ETXTBSY => Busy(call),
        Errno.EBUSY => Say(BtrfsError.FileBusy, "it is in use: a mount point, or something that the kernel works on"),
        Errno.EAGAIN => Say(BtrfsError.FileBusy, advice: "Try again when nothing else works on it."),
        Errno.EXDEV => Apart(call),
        Errno.EOPNOTSUPP or Errno.ENOTTY => Unsupported(call, atSource),
        Errno.EINVAL or Errno.EILSEQ or Errno.E2BIG or Errno.ERANGE => Invalid(call, errno, atSource),
        Errno.EOVERFLOW when call == SystemCall.GetXattr => Say(
            BtrfsError.OwnerNotMapped, "an attribute names an owner that this user namespace does not map",
            "Run outside of the user namespace, or copy with {ReflinkAuto}, which goes on without the attribute."),
        Errno.EOVERFLOW => StoresOwner(call) ? BtrfsError.OwnerNotMapped : BtrfsError.FileTooLarge,
        Errno.ENOSPC => call == SystemCall.SetXattr
            ? Say(BtrfsError.NoSpace, "no space is left for the attribute, of which btrfs holds at most some 16 KiB")
            : BtrfsError.NoSpace,
        Errno.EDQUOT => BtrfsError.QuotaExceeded,
        Errno.EFBIG => BtrfsError.FileTooLarge,
        Errno.EMLINK => call == SystemCall.LinkAt
            ? BtrfsError.TooManyLinks
            : Say(
                BtrfsError.TooManyLinks, "the directory has as many directories in it as it can have",
                "Name another destination."),
        Errno.ENAMETOOLONG => BtrfsError.NameTooLong,
        Errno.EMFILE or Errno.ENFILE => BtrfsError.TooManyOpenFiles,
        Errno.ENOMEM => BtrfsError.OutOfMemory,
        Errno.ENOSYS => Say(
            BtrfsError.IOError, "the kernel or a sandbox does not let the call through",
            "Use a newer kernel, or allow the call where the sandbox is set up."),

        Errno.EPROTO => Say(
            BtrfsError.IOError, "the kernel's answer is not of the format that it promises",
            "Report it with the kernel's version (uname -r)."),

        // The kernel logs these two when they occur.
        Errno.EIO => Say(BtrfsError.IOError, advice: SeeKernelLog),
        Errno.EUCLEAN => Say(
            BtrfsError.IOError, "the filesystem is damaged", SeeKernelLog + " 'btrfs check' tells how far it goes."),
        _ => BtrfsError.IOError,
    };

    /// <summary>Which of the two files of a call is reported when it fails: the source, or otherwise the destination.</summary>
    public static bool IsOfSource(SystemCall call, Errno errno) => call switch
    {
        // Reading is done immediately, and writing during writeback.
        SystemCall.CopyFileRange => errno == Errno.EIO,

        // A caller who does not own the source gets EPERM; missing permission for the destination's directory is mostly EACCES.
        SystemCall.CreateSnapshot => errno is Errno.EPERM or Errno.ETXTBSY,
        SystemCall.FiClone or SystemCall.FiCloneRange => errno is Errno.EIO or Errno.EUCLEAN or Errno.EXDEV
            or Errno.EOPNOTSUPP or Errno.ENOTTY or Errno.ETXTBSY or Errno.EINVAL or Errno.EISDIR,
        _ => false,
    };

    private static ErrorMeaning Missing(SystemCall call, Errno errno, bool atSource, bool isNamed) => errno switch
    {
        // A file was to replace a directory, or a directory a file.
        Errno.ENOTDIR when call is SystemCall.RenameAt or SystemCall.RenameAt2 => ErrorMeaning.OtherTypeInTheWay,
        Errno.ENOENT when call is SystemCall.TreeSearch or SystemCall.InoLookup or SystemCall.InoLookupUser =>
            new(BtrfsError.ChangedMeanwhile, "its subvolume is gone"),
        Errno.ENOENT when atSource && !isNamed => Say(
            BtrfsError.SourceNotFound, "it was there when its directory was listed, and is gone", ErrorText.TryAgain),
        _ when errno == Errno.ESTALE || !isNamed => BtrfsError.ChangedMeanwhile,
        Errno.ENOTDIR => BtrfsError.NotADirectory,
        Errno.ELOOP => Say(
            atSource ? BtrfsError.SourceNotFound : BtrfsError.DestinationNotFound,
            "the path leads through too many symbolic links", "Name a path without a circle of links."),
        _ => atSource ? BtrfsError.SourceNotFound : BtrfsError.DestinationNotFound,
    };

    private static ErrorMeaning Forbidden(SystemCall call) => call switch
    {
        SystemCall.TreeSearch or SystemCall.InoLookup or SystemCall.LogicalIno => Say(
            BtrfsError.PermissionDenied, advice: "Reading btrfs's trees needs CAP_SYS_ADMIN: run as root."),
        SystemCall.OpenByHandleAt => Say(
            BtrfsError.PermissionDenied, advice: "Opening files by their inode numbers needs CAP_DAC_READ_SEARCH: run as root."),
        SystemCall.CreateSnapshot => Say(
            BtrfsError.PermissionDenied,
            advice: "A snapshot is for root or the owner of the subvolume's root directory, where they may write."),
        SystemCall.DestroySnapshot => Say(
            BtrfsError.PermissionDenied,
            advice: "Only root may remove a snapshot, or its owner where the filesystem is mounted with user_subvol_rm_allowed, or " +
                "where all directories in it are the owner's."),
        SystemCall.DedupeRange => Say(
            BtrfsError.PermissionDenied, advice: "Sharing needs write permission for the file, its ownership, or CAP_SYS_ADMIN."),
        _ => BtrfsError.PermissionDenied,
    };

    private static ErrorMeaning Busy(SystemCall call) => call switch
    {
        // Opening a file for writing fails while it is being executed; a swap file can be opened, but then every other call fails.
        SystemCall.OpenAt => Say(
            BtrfsError.FileBusy, "a program runs from it, which keeps it from being written", "End the program first."),
        SystemCall.CreateSnapshot => Say(BtrfsError.SwapFile, "the subvolume holds an active swap file"),
        _ => BtrfsError.SwapFile,
    };

    private static ErrorMeaning Apart(SystemCall call) => call switch
    {
        SystemCall.LinkAt or SystemCall.RenameAt or SystemCall.RenameAt2 => Say(
            BtrfsError.CrossDevice, "a name cannot lead from one filesystem, subvolume or mount into another",
            "Name a destination that is in one subvolume and one mount."),
        SystemCall.DedupeRange => Say(BtrfsError.CrossDevice, advice: "Name files on one filesystem."),
        _ => BtrfsError.CrossDevice,
    };

    private static ErrorMeaning Unsupported(SystemCall call, bool atSource) => call switch
    {
        SystemCall.Fiemap => BtrfsError.FiemapNotSupported,
        SystemCall.FiClone or SystemCall.FiCloneRange or SystemCall.CopyFileRange => BtrfsError.CloneNotSupported,
        SystemCall.DedupeRange => Say(
            BtrfsError.CloneNotSupported, "the filesystem cannot make files share what they hold",
            "Use a filesystem that can, such as btrfs or xfs."),
        SystemCall.TreeSearch or SystemCall.InoLookup or SystemCall.InoLookupUser or SystemCall.LogicalIno
            or SystemCall.FsInfo or SystemCall.CreateSnapshot or SystemCall.DestroySnapshot => BtrfsError.NotBtrfs,
        _ when MakesName(call) && !atSource => Say(
            BtrfsError.MetadataNotSupported, "the destination's filesystem holds no entries of this kind",
            "Use a filesystem that does."),
        _ => atSource ? BtrfsError.IOError : BtrfsError.MetadataNotSupported,
    };

    private static ErrorMeaning Invalid(SystemCall call, Errno errno, bool atSource) => call switch
    {
        SystemCall.FiClone or SystemCall.FiCloneRange or SystemCall.DedupeRange when errno == Errno.EINVAL =>
            BtrfsError.NoCowMismatch,
        SystemCall.Fchown => BtrfsError.OwnerNotMapped,
        SystemCall.RenameAt2 when errno == Errno.EINVAL => Say(
            BtrfsError.IOError, "the filesystem cannot give or exchange names in one step", "Leave out {Atomic}."),
        SystemCall.SetXattr or SystemCall.RemoveXattr or SystemCall.SetFlags or SystemCall.FsSetXattr or SystemCall.Fallocate =>
            BtrfsError.MetadataNotSupported,
        SystemCall.GetXattr or SystemCall.ListXattr => Say(
            BtrfsError.IOError, "its extended attributes are more than the kernel hands out at once"),
        _ when MakesName(call) && !atSource => Say(
            BtrfsError.InvalidPath, "the destination's filesystem takes no such name", "Use another name."),
        _ => BtrfsError.IOError,
    };

    private static ErrorMeaning Say(BtrfsError error, string? what = null, string? advice = null) => new(error, what, advice);

    private static bool IsSharing(SystemCall call) =>
        call is SystemCall.FiClone or SystemCall.FiCloneRange or SystemCall.DedupeRange;

    private static bool MakesName(SystemCall call) => call is SystemCall.OpenAt or SystemCall.MkdirAt
        or SystemCall.MknodAt or SystemCall.SymlinkAt or SystemCall.LinkAt or SystemCall.RenameAt or SystemCall.RenameAt2;

    // fs/namei.c and fs/attr.c: the caller who creates, changes or removes an inode, and its owner, must be mapped there.
    private static bool StoresOwner(SystemCall call) => MakesName(call) || call is SystemCall.Fchown
        or SystemCall.Fchmod or SystemCall.UtimensAt or SystemCall.SetXattr or SystemCall.RemoveXattr or SystemCall.UnlinkAt
        or SystemCall.Ftruncate or SystemCall.SetFlags or SystemCall.FsSetXattr;
}
