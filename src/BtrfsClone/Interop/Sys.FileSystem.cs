using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>BTRFS_SUPER_MAGIC (linux/magic.h).</summary>
    public const long BtrfsMagic = 0x9123683E;

    // linux/btrfs.h: _IOR(0x94, 31, struct btrfs_ioctl_fs_info_args), which is 1024 bytes, the fsid at byte 16.
    private const nuint BtrfsIocFsInfo = 0x8400941F;
    private const int FsInfoSize = 1024;
    private const int FsInfoFsidOffset = 16;
    private const int FsInfoFlagsOffset = 48;
    private const int FsInfoGenerationOffset = 56;

    // BTRFS_FS_INFO_FLAG_GENERATION (Linux 5.11), in both directions.
    private const ulong FsInfoFlagGeneration = 2;

    /// <summary>fstatfs(2): the filesystem's magic number. struct statfs begins with it on x86-64 and arm64.</summary>
    public static int FileSystemMagic(int descriptor, out long magic)
    {
        byte* buffer = stackalloc byte[256];
        int result = Result(fstatfs(descriptor, buffer));
        magic = *(long*)buffer;
        return result;
    }

    /// <summary>
    /// fstatfs(2): the filesystem's block size in bytes, of which ranges that are cloned must be multiples. On btrfs it
    /// is the sector size.
    /// </summary>
    public static int BlockSize(int descriptor, out long size)
    {
        byte* buffer = stackalloc byte[256];
        int result = Result(fstatfs(descriptor, buffer));
        size = ((long*)buffer)[1];
        return result;
    }

    /// <summary>BTRFS_IOC_FS_INFO: the filesystem's id, the same in all of its subvolumes.</summary>
    public static int BtrfsFsid(int descriptor, out Guid fsid)
    {
        byte* buffer = stackalloc byte[FsInfoSize];
        new Span<byte>(buffer, FsInfoSize).Clear();
        int result = Result(ioctl(descriptor, BtrfsIocFsInfo, (nint)buffer));
        fsid = new Guid(new ReadOnlySpan<byte>(buffer + FsInfoFsidOffset, 16));
        return result;
    }

    /// <summary>
    /// BTRFS_IOC_FS_INFO: the newest transaction, the running one if there is one. 0 where the kernel does not tell.
    /// </summary>
    public static int BtrfsGeneration(int descriptor, out ulong generation)
    {
        byte* buffer = stackalloc byte[FsInfoSize];
        new Span<byte>(buffer, FsInfoSize).Clear();
        *(ulong*)(buffer + FsInfoFlagsOffset) = FsInfoFlagGeneration;
        int result = Result(ioctl(descriptor, BtrfsIocFsInfo, (nint)buffer));
        bool told = (*(ulong*)(buffer + FsInfoFlagsOffset) & FsInfoFlagGeneration) != 0;
        generation = told ? *(ulong*)(buffer + FsInfoGenerationOffset) : 0;
        return result;
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int fstatfs(int descriptor, byte* buffer);
}
