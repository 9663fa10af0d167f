namespace BtrfsClone.Interop;

/// <summary>Tells filesystems apart.</summary>
internal static class FileSystems
{
    /// <summary>
    /// Whether two open files are on one filesystem; null where the kernel does not tell. The device number alone does
    /// not: each subvolume of a btrfs has one of its own. The filesystem's id does (BTRFS_IOC_FS_INFO), which a sandbox
    /// may refuse, or an emulation not know.
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
