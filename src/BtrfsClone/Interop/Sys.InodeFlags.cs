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

    Settable = Inherited | Late,
}

internal static unsafe partial class Sys
{
    // linux/fs.h: _IOR('f', 1, long) and _IOW('f', 2, long). The size says long; the kernel reads and writes an int.
    private const nuint FsIocGetFlags = 0x80086601;
    private const nuint FsIocSetFlags = 0x40086602;

    /// <summary>FS_IOC_GETFLAGS. A filesystem without inode flags (ENOTTY, EOPNOTSUPP) has none set.</summary>
    public static int GetFlags(int descriptor, out InodeFlags flags)
    {
        int value = 0;
        int result = Result(ioctl(descriptor, FsIocGetFlags, (nint)(&value)));
        flags = (InodeFlags)value & InodeFlags.Settable;
        return result is -Errno.ENOTTY or -Errno.EOPNOTSUPP ? 0 : result;
    }

    /// <summary>FS_IOC_SETFLAGS. Needs ownership; immutable and append-only need CAP_LINUX_IMMUTABLE.</summary>
    public static int SetFlags(int descriptor, InodeFlags flags)
    {
        int value = (int)flags;
        return Result(ioctl(descriptor, FsIocSetFlags, (nint)(&value)));
    }
}
