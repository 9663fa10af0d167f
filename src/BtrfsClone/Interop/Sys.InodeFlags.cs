namespace BtrfsClone.Interop;

/// <summary>Inode flags of FS_IOC_GETFLAGS (linux/fs.h) that can be set on btrfs; see chattr(1).</summary>
[Flags]
internal enum InodeFlags
{
    None = 0,
    Compress = 0x4,
    Sync = 0x8,
    Immutable = 0x10,
    AppendOnly = 0x20,
    NoDump = 0x40,
    NoAccessTime = 0x80,
    NoCompress = 0x400,
    DirectorySync = 0x10000,
    NoCow = 0x800000,

    /// <summary>The flags that a new btrfs inode inherits from its directory (fs/btrfs/inode.c, btrfs_inherit_iflags).</summary>
    Inherited = Compress | NoCompress | NoCow,

    /// <summary>The flags that affect later calls on the inode, so they are set last.</summary>
    Late = Sync | Immutable | AppendOnly | NoDump | NoAccessTime | DirectorySync,

    /// <summary>The flags that prevent an entry from being renamed, linked or removed by anyone.</summary>
    Protected = Immutable | AppendOnly,

    Settable = Inherited | Late,
}

internal static unsafe partial class Sys
{
    // linux/fs.h: _IOR('f', 1, long) and _IOW('f', 2, long). The encoded size is that of a long; the kernel reads and writes an
    // int.
    private const nuint FsIocGetFlags = 0x80086601;
    private const nuint FsIocSetFlags = 0x40086602;

    /// <summary>FS_IOC_GETFLAGS. A filesystem without inode flags (ENOTTY, EOPNOTSUPP) has none set.</summary>
    public static CallResult GetFlags(Descriptor descriptor, out InodeFlags flags)
    {
        int value = 0;
        CallResult result = Result(ioctl(descriptor.Number, FsIocGetFlags, (nint)(&value)));
        flags = (InodeFlags)value & InodeFlags.Settable;
        return result.Error is Errno.ENOTTY or Errno.EOPNOTSUPP ? CallResult.Success : result;
    }

    /// <summary>
    /// FS_IOC_SETFLAGS. Requires ownership; immutable and append-only require CAP_LINUX_IMMUTABLE. Flags other than those listed
    /// here are preserved: ext4 has one for how it stores a file.
    /// </summary>
    public static CallResult SetFlags(Descriptor descriptor, InodeFlags flags)
    {
        int value = 0;
        CallResult result = Result(ioctl(descriptor.Number, FsIocGetFlags, (nint)(&value)));
        value = (value & ~(int)InodeFlags.Settable) | (int)flags;
        return result.Failed ? result : Result(ioctl(descriptor.Number, FsIocSetFlags, (nint)(&value)));
    }

    // linux/fs.h: _IOR('X', 31, struct fsxattr) and _IOW('X', 32, struct fsxattr), which is 28 bytes and starts with the flags.
    private const nuint FsIocFsGetXattr = 0x801C581F;
    private const nuint FsIocFsSetXattr = 0x401C5820;
    private const int FsXattrSize = 28;
    private const uint FsXattrLateFlags = 0xF8;

    /// <summary>
    /// FS_IOC_FSSETXATTR with the late flags that it supports (all but <see cref="InodeFlags.DirectorySync"/>). Unlike
    /// FS_IOC_SETFLAGS it preserves btrfs's compression property. Everything else that it can set, such as xfs's project number, is
    /// preserved.
    /// </summary>
    public static CallResult SetLateFlags(Descriptor descriptor, InodeFlags flags)
    {
        uint extended = (flags.HasFlag(InodeFlags.Immutable) ? 0x8u : 0) |
            (flags.HasFlag(InodeFlags.AppendOnly) ? 0x10u : 0) | (flags.HasFlag(InodeFlags.Sync) ? 0x20u : 0) |
            (flags.HasFlag(InodeFlags.NoAccessTime) ? 0x40u : 0) | (flags.HasFlag(InodeFlags.NoDump) ? 0x80u : 0);
        byte* argument = stackalloc byte[FsXattrSize];
        CallResult result = Result(ioctl(descriptor.Number, FsIocFsGetXattr, (nint)argument));
        *(uint*)argument = (*(uint*)argument & ~FsXattrLateFlags) | extended;
        return result.Failed ? result : Result(ioctl(descriptor.Number, FsIocFsSetXattr, (nint)argument));
    }
}
