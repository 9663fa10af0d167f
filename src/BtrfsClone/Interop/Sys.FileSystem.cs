using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>BTRFS_SUPER_MAGIC (linux/magic.h).</summary>
    public const long BtrfsMagic = 0x9123683E;

    /// <summary>XFS_SUPER_MAGIC (linux/magic.h).</summary>
    public const long XfsMagic = 0x58465342;

    // linux/btrfs.h: _IOR(0x94, 31, struct btrfs_ioctl_fs_info_args), which is 1024 bytes, the fsid at byte 16.
    private const nuint BtrfsIocFsInfo = 0x8400941F;
    private const int FsInfoSize = 1024;
    private const int FsInfoFsidOffset = 16;
    private const int FsInfoFlagsOffset = 48;
    private const int FsInfoGenerationOffset = 56;

    // BTRFS_FS_INFO_FLAG_GENERATION (Linux 5.11), in both directions.
    private const ulong FsInfoFlagGeneration = 2;

    /// <summary>fstatfs(2): the filesystem's magic number. struct statfs starts with it on x86-64 and arm64.</summary>
    public static CallResult FileSystemMagic(Descriptor descriptor, out long magic)
    {
        byte* buffer = stackalloc byte[256];
        CallResult result = Result(fstatfs(descriptor.Number, buffer));
        magic = *(long*)buffer;
        return result;
    }

    /// <summary>
    /// fstatfs(2): the filesystem's block size in bytes; cloned ranges must be multiples of it. On btrfs it is the sector size.
    /// </summary>
    public static CallResult BlockSize(Descriptor descriptor, out long size)
    {
        byte* buffer = stackalloc byte[256];
        CallResult result = Result(fstatfs(descriptor.Number, buffer));
        size = ((long*)buffer)[1];
        return result;
    }

    /// <summary>fstatfs(2): the number of bytes that the caller may still write. On btrfs, metadata also takes part of it.</summary>
    public static CallResult FreeSpace(Descriptor descriptor, out long bytes)
    {
        // struct statfs of x86-64 and arm64: type, block size, blocks, free blocks, available blocks, 8 bytes each.
        byte* buffer = stackalloc byte[256];
        CallResult result = Result(fstatfs(descriptor.Number, buffer));
        bytes = ((long*)buffer)[1] * ((long*)buffer)[4];
        return result;
    }

    /// <summary>BTRFS_IOC_FS_INFO: the filesystem's id, the same in all of its subvolumes.</summary>
    public static CallResult BtrfsFsid(Descriptor descriptor, out Guid fsid)
    {
        byte* buffer = stackalloc byte[FsInfoSize];
        new Span<byte>(buffer, FsInfoSize).Clear();
        CallResult result = Result(ioctl(descriptor.Number, BtrfsIocFsInfo, (nint)buffer));
        fsid = new Guid(new ReadOnlySpan<byte>(buffer + FsInfoFsidOffset, 16));
        return result;
    }

    /// <summary>BTRFS_IOC_FS_INFO: the newest transaction, the running one if there is one. 0 if the kernel does not report it.</summary>
    public static CallResult BtrfsGeneration(Descriptor descriptor, out ulong generation)
    {
        byte* buffer = stackalloc byte[FsInfoSize];
        new Span<byte>(buffer, FsInfoSize).Clear();
        *(ulong*)(buffer + FsInfoFlagsOffset) = FsInfoFlagGeneration;
        CallResult result = Result(ioctl(descriptor.Number, BtrfsIocFsInfo, (nint)buffer));
        bool told = (*(ulong*)(buffer + FsInfoFlagsOffset) & FsInfoFlagGeneration) != 0;
        generation = told ? *(ulong*)(buffer + FsInfoGenerationOffset) : 0;
        return result;
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int fstatfs(int descriptor, byte* buffer);
}
