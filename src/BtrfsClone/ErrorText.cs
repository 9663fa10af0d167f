using System.Runtime.InteropServices;
using BtrfsClone.Interop;

namespace BtrfsClone;

/// <summary>Turns errno values into meanings, and meanings into sentences: the only place that does.</summary>
internal static class ErrorText
{
    /// <summary>The usual meaning of an errno. Callers that know better (which side, which flag) say so themselves.</summary>
    public static BtrfsError Classify(int errno) => errno switch
    {
        Errno.ENOENT or Errno.ENOTDIR => BtrfsError.SourceNotFound,
        Errno.EEXIST or Errno.ENOTEMPTY => BtrfsError.DestinationExists,
        Errno.EXDEV => BtrfsError.CrossDevice,
        Errno.EOPNOTSUPP or Errno.ENOTTY => BtrfsError.CloneNotSupported,
        Errno.ETXTBSY => BtrfsError.SwapFile,
        Errno.ENOSPC => BtrfsError.NoSpace,
        Errno.EMFILE or Errno.ENFILE => BtrfsError.TooManyOpenFiles,
        Errno.EFBIG => BtrfsError.FileTooLarge,
        Errno.EDQUOT => BtrfsError.QuotaExceeded,
        Errno.EACCES or Errno.EPERM => BtrfsError.PermissionDenied,
        Errno.EROFS => BtrfsError.ReadOnlyFileSystem,
        Errno.EMLINK => BtrfsError.TooManyLinks,
        Errno.ELOOP or Errno.ESTALE => BtrfsError.ChangedMeanwhile,
        _ => BtrfsError.IOError,
    };

    public static string Summary(string what, string path, int errno, string call)
    {
        string cause = errno == 0 ? "" : $" ({call}: {Marshal.GetPInvokeErrorMessage(errno)})";
        return $"'{PathText.Printable(path)}': {what}{cause}.";
    }

    public static string Advice(BtrfsError error, string call) => error switch
    {
        BtrfsError.PermissionDenied when call == Sys.TreeSearchCall =>
            "Reading btrfs's trees needs CAP_SYS_ADMIN: run as root, or read with FIEMAP: -Source Fiemap (--source fiemap).",
        BtrfsError.PermissionDenied when call == Sys.CreateSnapshotCall =>
            "A snapshot is for root or the owner of the subvolume's root directory, where they may write.",
        BtrfsError.PermissionDenied when call == Sys.DestroySubvolumeCall =>
            "Only root may remove a snapshot, or its owner where the filesystem is mounted with user_subvol_rm_allowed.",
        BtrfsError.SourceNotFound => "Check the path.",
        BtrfsError.DestinationNotFound => "Create the directory first, or name an existing one.",
        BtrfsError.DestinationExists => "Remove it, name another destination, or leave out the option that protects it.",
        BtrfsError.DestinationReadOnly => "Use -Force (--force) to replace it.",
        BtrfsError.DestinationInsideSource => "Name a destination outside the source directory.",
        BtrfsError.SourceOutsideBase => "Name a base directory that the item lies below.",
        BtrfsError.SameFile => "Name another destination.",
        BtrfsError.CrossDevice =>
            "Name a destination on the source's filesystem, or copy whole items with -Reflink Auto (--reflink auto).",
        BtrfsError.CloneNotSupported =>
            "Use a filesystem that can clone, such as btrfs, or copy whole items with -Reflink Auto (--reflink auto).",
        BtrfsError.NoCowMismatch => "Make the files alike with chattr +C or -C while the destination is empty.",
        BtrfsError.SwapFile => "Turn it off with swapoff first.",
        BtrfsError.NoSpace => "Free some space; on btrfs, 'btrfs filesystem usage' shows data and metadata apart.",
        BtrfsError.FileTooLarge => "Raise the limit (ulimit -f), or name a filesystem that takes such files.",
        BtrfsError.TooManyOpenFiles => "Raise the limit (ulimit -n), or let fewer threads work.",
        BtrfsError.QuotaExceeded => "Free some space or raise the limit.",
        BtrfsError.PermissionDenied =>
            "Check permissions and inode flags (lsattr), or run with the privileges that it needs.",
        BtrfsError.ReadOnlyFileSystem => "Remount it writable, or name a destination elsewhere.",
        BtrfsError.TooManyLinks => "Clone fewer links of this file at once.",
        BtrfsError.DelallocTimeout => "Something is still writing to it; wait longer, or stop the writer.",
        BtrfsError.NotRegularFile => "Name a regular file.",
        BtrfsError.NotBtrfs => "Name a file on btrfs.",
        BtrfsError.NotSubvolume =>
            "Name a subvolume's root directory ('btrfs subvolume list'), or clone it without -Snapshot (--snapshot).",
        BtrfsError.MountInBetween =>
            "Clone what is mounted on its own, by a path that shows its whole subvolume, or leave out -PointInTime (--point-in-time).",
        BtrfsError.UnalignedRange =>
            "Name an aligned range; only an end of the source may be unaligned, where it becomes the destination's end.",
        BtrfsError.OverlappingRanges => "Name ranges that are apart.",
        BtrfsError.RangeBeyondEnd => "Name a range inside the file, or length 0 for all up to its end.",
        BtrfsError.FiemapNotSupported => "Name a file on btrfs or on another filesystem with FIEMAP, such as xfs or ext4.",
        BtrfsError.InvalidPath => "Name a path without it.",
        BtrfsError.Incomplete =>
            "See the errors before this one, or leave out -Atomic (--atomic) to keep what can be cloned.",
        BtrfsError.ChangedMeanwhile => "Try again when nothing moves or replaces files there.",
        _ => "See the kernel log (dmesg) if it persists.",
    };

    public static string What(BtrfsError error) => error switch
    {
        BtrfsError.SourceNotFound => "no such file or directory",
        BtrfsError.DestinationNotFound => "the destination's directory does not exist",
        BtrfsError.DestinationExists => "the destination exists and is left as it is",
        BtrfsError.DestinationReadOnly => "the destination exists and has no write permission",
        BtrfsError.DestinationInsideSource => "a directory cannot be cloned into itself or below itself",
        BtrfsError.SourceOutsideBase => "the item is not below the base directory",
        BtrfsError.SameFile => "source and destination are the same file",
        BtrfsError.CrossDevice => "source and destination are on different filesystems, which cannot share extents",
        BtrfsError.CloneNotSupported => "the filesystem does not support cloning",
        BtrfsError.NoCowMismatch => "a NOCOW file and a copy-on-write file cannot share extents",
        BtrfsError.SwapFile => "an active swap file cannot be cloned",
        BtrfsError.NoSpace => "no space is left on the filesystem",
        BtrfsError.FileTooLarge => "the file is larger than the process or the filesystem lets it be",
        BtrfsError.TooManyOpenFiles => "the process may not open as many files as it needs",
        BtrfsError.QuotaExceeded => "a quota limit is reached",
        BtrfsError.PermissionDenied => "permission denied",
        BtrfsError.ReadOnlyFileSystem => "the filesystem is read-only",
        BtrfsError.TooManyLinks => "the file has as many hard links as it can have",
        BtrfsError.DelallocTimeout => "delayed or in-flight writes did not end in the time given",
        BtrfsError.NotRegularFile => "not a regular file",
        BtrfsError.NotBtrfs => "the filesystem is not btrfs",
        BtrfsError.NotSubvolume => "it is not the root of a subvolume",
        BtrfsError.MountInBetween => "a mount stands between it and a snapshot",
        BtrfsError.UnalignedRange => "the range is not aligned to the filesystem's blocks",
        BtrfsError.OverlappingRanges => "the ranges overlap in one file",
        BtrfsError.RangeBeyondEnd => "the range reaches beyond the end of the file",
        BtrfsError.FiemapNotSupported => "the filesystem does not tell where its files lie",
        BtrfsError.InvalidPath => "a path cannot hold a NUL character or half of a surrogate pair",
        BtrfsError.Incomplete => "not everything could be cloned, so nothing was put there",
        BtrfsError.ChangedMeanwhile => "it was moved or replaced in the meantime",
        _ => "input/output failed",
    };
}
