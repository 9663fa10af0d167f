using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Why btrfs returns EINVAL when two files are to share extents: only one of them has data checksums (BTRFS_INODE_NODATASUM,
/// btrfs_remap_file_range_prep in fs/btrfs/reflink.c). NOCOW files have none, nor do files created while the filesystem was mounted
/// with nodatasum.
/// </summary>
internal static class ChecksumMismatch
{
    private static readonly ErrorMeaning s_byMount = new(
        BtrfsError.NoCowMismatch,
        "a file without checksums (written with nodatasum) and a file with checksums cannot share extents",
        "Write one of them anew as the other was (mounted with datasum or nodatasum), or clone what has no checksums into a " +
        "directory with the flag NOCOW (chattr +C).");

    /// <summary>The error of two files that cannot share extents.</summary>
    public static ErrorMeaning Describe(Descriptor file, Descriptor other) =>
        IsOfNoCow(file, other) ? BtrfsError.NoCowMismatch : s_byMount;

    /// <summary>Whether exactly one of two files is NOCOW.</summary>
    public static bool IsOfNoCow(Descriptor file, Descriptor other) =>
        Sys.GetFlags(file, out InodeFlags flags).Succeeded && Sys.GetFlags(other, out InodeFlags otherFlags).Succeeded &&
        ((flags ^ otherFlags) & InodeFlags.NoCow) != 0;

    /// <summary>
    /// The error of two files for which the kernel returned EINVAL on sharing a range: only one has checksums, or a file was
    /// shorter at that moment. Nothing else is invalid if the range was within both.
    /// </summary>
    public static ErrorMeaning WhyInvalid(Descriptor source, Descriptor destination)
    {
        if (Look(source, destination) is not (Statx, Statx) before || IsEmpty(before))
        {
            return BtrfsError.ChangedMeanwhile;
        }

        // Less than a block, and not the end of a file: this does nothing, unless checksums forbid it.
        FileDedupeRange nothing = new() { SourceLength = 1 };
        bool isRefused = Sys.DedupeRange(source, destination, ref nothing).Is(Errno.EINVAL);
        return isRefused && Look(source, destination) is (Statx, Statx) after &&
            AreEqual(before.Item1, after.Item1) && AreEqual(before.Item2, after.Item2)
                ? Describe(source, destination)
                : BtrfsError.ChangedMeanwhile;
    }

    private static (Statx, Statx)? Look(Descriptor source, Descriptor destination) =>
        Sys.Stat(source, out Statx one).Succeeded && Sys.Stat(destination, out Statx other).Succeeded ? (one, other) : null;

    private static bool IsEmpty((Statx One, Statx Other) files) => Math.Min(files.One.Size, files.Other.Size) <= 1;

    private static bool AreEqual(in Statx one, in Statx other) => one.Size == other.Size &&
        (one.ChangeTime.Seconds, one.ChangeTime.Nanoseconds) == (other.ChangeTime.Seconds, other.ChangeTime.Nanoseconds);
}
