namespace BtrfsClone.Interop;

/// <summary>Tells filesystems apart.</summary>
internal static class FileSystems
{
    /// <summary>
    /// Whether two open files are on one filesystem. The device number does not tell alone: each subvolume has one of
    /// its own.
    /// </summary>
    public static bool AreOne(int one, in Statx oneStatus, int other, in Statx otherStatus) =>
        oneStatus.Device == otherStatus.Device ||
        (Sys.FileSystemMagic(one, out long magic) >= 0 && magic == Sys.BtrfsMagic &&
            Sys.FileSystemMagic(other, out magic) >= 0 && magic == Sys.BtrfsMagic &&
            Sys.BtrfsFsid(one, out Guid id) >= 0 && Sys.BtrfsFsid(other, out Guid otherId) >= 0 && id == otherId);
}
