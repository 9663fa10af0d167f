namespace BtrfsClone.Interop;

/// <summary>Distinguishes filesystems.</summary>
internal static class FileSystems
{
    /// <summary>
    /// Whether two open files are on one filesystem; null if this cannot be determined. The device number is not sufficient: each
    /// subvolume of a btrfs has its own. The filesystem's id is (BTRFS_IOC_FS_INFO), which a sandbox may reject, or an emulation
    /// not support.
    /// </summary>
    public static bool? AreOne(Descriptor one, in Statx oneStatus, Descriptor other, in Statx otherStatus)
    {
        if (oneStatus.Device == otherStatus.Device)
        {
            return true;
        }

        if (Sys.FileSystemMagic(one, out long magic).Failed || Sys.FileSystemMagic(other, out long otherMagic).Failed)
        {
            return null;
        }

        if (magic != Sys.BtrfsMagic || otherMagic != Sys.BtrfsMagic)
        {
            return false;
        }

        return Sys.BtrfsFsid(one, out Guid id).Failed || Sys.BtrfsFsid(other, out Guid otherId).Failed
            ? null
            : id == otherId;
    }
}
