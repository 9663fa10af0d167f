using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>
/// struct btrfs_ioctl_fs_info_args (linux/btrfs.h), 1024 bytes, as far as it is needed: sizes in bytes, and the checksum type.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 1024)]
internal struct BtrfsFileSystemFacts
{
    [FieldOffset(32)]
    public uint NodeSize;

    [FieldOffset(36)]
    public uint SectorSize;

    /// <summary>BTRFS_CSUM_TYPE_*: 0 crc32c, 1 xxhash64, 2 sha256, 3 blake2b-256.</summary>
    [FieldOffset(44)]
    public ushort ChecksumType;

    /// <summary>The size of one checksum in bytes.</summary>
    [FieldOffset(46)]
    public ushort ChecksumSize;

    [FieldOffset(48)]
    public ulong Flags;
}

internal static unsafe partial class Sys
{
    // BTRFS_FS_INFO_FLAG_CSUM_INFO (Linux 5.10). Older kernels only support crc32c.
    private const ulong FsInfoFlagChecksum = 1;
    private const ushort Crc32cSize = 4;

    /// <summary>BTRFS_IOC_FS_INFO: the filesystem's sizes and checksum type. Requires no privilege.</summary>
    public static CallResult BtrfsFacts(Descriptor descriptor, out BtrfsFileSystemFacts facts)
    {
        facts = new BtrfsFileSystemFacts { Flags = FsInfoFlagChecksum };
        CallResult result;
        fixed (BtrfsFileSystemFacts* argument = &facts)
        {
            result = Result(ioctl(descriptor.Number, BtrfsIocFsInfo, (nint)argument));
        }

        if ((facts.Flags & FsInfoFlagChecksum) == 0)
        {
            (facts.ChecksumType, facts.ChecksumSize) = (0, Crc32cSize);
        }

        return result;
    }
}
