using System.Runtime.InteropServices;
using BtrfsClone.Interop;

namespace BtrfsClone;

/// <summary>The only place that turns failures into sentences.</summary>
internal static class ErrorText
{
    public const string TryAgain = "Try again when nothing moves or replaces files there.";

    public static string Summary(string what, string path, int errno, string call)
    {
        string cause = Cause(what, errno, call);
        return $"'{PathText.Printable(path)}': {what}{(cause.Length == 0 ? "" : $" ({cause})")}.";
    }

    /// <summary>The call that failed and why; without the reason if that was already stated.</summary>
    public static string Cause(string what, int errno, string call)
    {
        string reason = errno == 0 ? "" : Marshal.GetPInvokeErrorMessage(errno);
        return errno == 0 ? "" : what.Equals(reason, StringComparison.OrdinalIgnoreCase) ? call : $"{call}: {reason}";
    }

    /// <summary>An advice with the front end's names of options.</summary>
    public static string Render(string advice, Func<EngineOption, string> spelling)
    {
        foreach (EngineOption option in Enum.GetValues<EngineOption>())
        {
            string placeholder = $"{{{option}}}";
            if (advice.Contains(placeholder, StringComparison.Ordinal))
            {
                advice = advice.Replace(placeholder, spelling(option), StringComparison.Ordinal);
            }
        }

        return advice;
    }

    /// <summary>The default advice for an error.</summary>
    public static string Advice(BtrfsError error) => error switch
    {
        BtrfsError.SourceNotFound => "Check the path.",
        BtrfsError.DestinationNotFound => "Create the directory first, or name an existing one.",
        BtrfsError.NotADirectory => "Name a path that leads through directories only; a slash at its end asks for a directory.",
        BtrfsError.NameTooLong => "Use a shorter name: most filesystems take 255 bytes, and a path given whole 4095.",
        BtrfsError.DestinationExists => "Remove it, or name another destination.",
        BtrfsError.JustCreated =>
            "Use {RelativeBase}, which keeps the directories of items of one name apart, or clone them to places of their own.",
        BtrfsError.DestinationReadOnly => "Use {Force} to replace it.",
        BtrfsError.DestinationInsideSource => "Name a destination outside the source directory.",
        BtrfsError.SourceOutsideBase => "Name a base directory that the item lies below.",
        BtrfsError.LinkCycle => "Remove the link, leave it out by its name, or clone links as links.",
        BtrfsError.SameFile => "Name another destination.",
        BtrfsError.CrossDevice =>
            "Name a destination on the source's filesystem, or copy whole items with {ReflinkAuto}.",
        BtrfsError.CloneNotSupported =>
            "Use a filesystem that can clone, such as btrfs, or copy whole items with {ReflinkAuto}.",
        BtrfsError.MetadataNotSupported => "Use a filesystem that can, or copy with {ReflinkAuto}, which goes on without.",
        BtrfsError.NoCowMismatch =>
            "Copy whole items with {ReflinkAuto}, or make the files alike with chattr +C or -C while the destination is empty.",
        BtrfsError.SwapFile => "Turn it off with swapoff first.",
        BtrfsError.FileBusy => "End what uses it, or name another destination.",
        BtrfsError.NoSpace => "Free some space; on btrfs, 'btrfs filesystem usage' shows data and metadata apart.",
        BtrfsError.FileTooLarge => "Raise the limit (ulimit -f), or name a filesystem that takes such files.",
        BtrfsError.TooManyOpenFiles => "Raise the limit (ulimit -n), or let fewer threads work ({Workers}).",
        BtrfsError.OutOfMemory => "Free some memory, or raise the limit (ulimit -v, or memory.max of the control group).",
        BtrfsError.QuotaExceeded => "Free some space or raise the limit.",
        BtrfsError.PermissionDenied =>
            "Check permissions and inode flags (lsattr), or run with the privileges that it needs.",
        BtrfsError.OwnerNotMapped =>
            "Use a mount and a user namespace that map the owner, or run as a user that they map.",
        BtrfsError.ReadOnlyFileSystem =>
            "Make it writable ('mount -o remount,rw', 'btrfs property set'), or name a destination elsewhere.",
        BtrfsError.TooManyLinks => "Clone fewer links of this file at once.",
        BtrfsError.DelallocTimeout => "Something is still writing to it; wait longer, or stop the writer.",
        BtrfsError.NotRegularFile => "Name a regular file.",
        BtrfsError.NotBtrfs => "Name a file on btrfs.",
        BtrfsError.NotSubvolume =>
            "Name a subvolume's root directory ('btrfs subvolume list'), or clone it without {Snapshot}.",
        BtrfsError.MountInBetween =>
            "Clone what is mounted on its own, by a path that shows its whole subvolume, or leave out {PointInTime}.",
        BtrfsError.UnalignedRange =>
            "Name an aligned range; only an end of the source may be unaligned, where it becomes the destination's end.",
        BtrfsError.OverlappingRanges => "Name ranges that are apart.",
        BtrfsError.RangeBeyondEnd => "Name a range inside the file, or length 0 for all up to its end.",
        BtrfsError.FiemapNotSupported => "Name a file on btrfs or on another filesystem with FIEMAP, such as xfs or ext4.",
        BtrfsError.InvalidPath => "Name a path without it.",
        BtrfsError.Incomplete => "See the errors before this one, or leave out {Atomic} to keep what can be cloned.",
        BtrfsError.ProcNotMounted => "Mount it (mount -t proc proc /proc), or leave out {PointInTime}.",
        BtrfsError.LeftBehind => "Remove it, or move it back to where it was, once the cause is gone.",
        BtrfsError.ChangedMeanwhile => TryAgain,
        _ => "The manual page of the call says when the kernel gives this error.",
    };

    /// <summary>An error as a short phrase.</summary>
    public static string What(BtrfsError error) => error switch
    {
        BtrfsError.SourceNotFound => "no such file or directory",
        BtrfsError.DestinationNotFound => "the destination's directory does not exist",
        BtrfsError.NotADirectory => "a part of the path is not a directory",
        BtrfsError.NameTooLong => "the name is longer than the filesystem or the kernel takes",
        BtrfsError.DestinationExists => "the destination exists and is left as it is",
        BtrfsError.DestinationReadOnly => "the destination exists and has no write permission",
        BtrfsError.DestinationInsideSource => "a directory cannot be cloned into itself or below itself",
        BtrfsError.SourceOutsideBase => "the item is not below the base directory",
        BtrfsError.LinkCycle => "a symbolic link leads back to a directory that it is in",
        BtrfsError.SameFile => "source and destination are the same file",
        BtrfsError.JustCreated => "the name is taken by what has just been cloned from another item",
        BtrfsError.CrossDevice => "source and destination are on different filesystems, which cannot share extents",
        BtrfsError.CloneNotSupported => "the filesystem does not support cloning",
        BtrfsError.MetadataNotSupported => "the filesystem cannot hold this part of the metadata",
        BtrfsError.NoCowMismatch => "a NOCOW file and a copy-on-write file cannot share extents",
        BtrfsError.SwapFile => "it is an active swap file, which cannot be cloned, written or replaced",
        BtrfsError.FileBusy => "it is in use",
        BtrfsError.NoSpace => "no space is left on the filesystem",
        BtrfsError.FileTooLarge => "the file is larger than the process or the filesystem lets it be",
        BtrfsError.TooManyOpenFiles => "the process may not open as many files as it needs",
        BtrfsError.OutOfMemory => "the kernel has no memory left for it",
        BtrfsError.QuotaExceeded => "a quota limit is reached",
        BtrfsError.PermissionDenied => "permission denied",
        BtrfsError.OwnerNotMapped => "the owner has no number where it is to be stored",
        BtrfsError.ReadOnlyFileSystem => "the filesystem or subvolume is read-only",
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
        BtrfsError.ProcNotMounted => "/proc does not tell where it lies and what is mounted below it",
        BtrfsError.LeftBehind => "it could not be removed again and stays",
        BtrfsError.ChangedMeanwhile => "it was moved or replaced in the meantime",
        _ => "input/output failed",
    };
}
