namespace BtrfsClone.Interop;

/// <summary>Inode flags of FS_IOC_GETFLAGS (linux/fs.h), as far as btrfs lets them be set; see chattr(1).</summary>
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

    /// <summary>What a new btrfs inode takes over from its directory (fs/btrfs/inode.c, btrfs_inherit_iflags).</summary>
    Inherited = Compress | NoCompress | NoCow,

    /// <summary>What changes how later calls on the inode behave, so that it is set last.</summary>
    Late = Sync | Immutable | AppendOnly | NoDump | NoAccessTime | DirectorySync,

    /// <summary>What keeps an entry from being renamed, linked or removed by anybody.</summary>
    Protected = Immutable | AppendOnly,

    Settable = Inherited | Late,
}

internal static unsafe partial class Sys
{
    // linux/fs.h: _IOR('f', 1, long) and _IOW('f', 2, long). The size says long; the kernel reads and writes an int.
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
    /// FS_IOC_SETFLAGS. Needs ownership; immutable and append-only need CAP_LINUX_IMMUTABLE. Other flags than those
    /// named here stay: ext4 has one for how it stores a file.
    /// </summary>
    public static CallResult SetFlags(Descriptor descriptor, InodeFlags flags)
    {
        int value = 0;
        CallResult result = Result(ioctl(descriptor.Number, FsIocGetFlags, (nint)(&value)));
        value = (value & ~(int)InodeFlags.Settable) | (int)flags;
        return result.Failed ? result : Result(ioctl(descriptor.Number, FsIocSetFlags, (nint)(&value)));
    }

    // linux/fs.h: _IOR('X', 31, struct fsxattr) and _IOW('X', 32, struct fsxattr), which is 28 bytes and begins with
    // the flags.
    private const nuint FsIocFsGetXattr = 0x801C581F;
    private const nuint FsIocFsSetXattr = 0x401C5820;
    private const int FsXattrSize = 28;
    private const uint FsXattrLateFlags = 0xF8;

    /// <summary>
    /// FS_IOC_FSSETXATTR with those late flags that it knows (all but <see cref="InodeFlags.DirectorySync"/>). Unlike
    /// FS_IOC_SETFLAGS it leaves btrfs's compression property as it is. All else that it can set, such as xfs's project
    /// number, stays.
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
