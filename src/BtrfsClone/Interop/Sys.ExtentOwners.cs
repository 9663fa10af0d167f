using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>struct btrfs_ioctl_logical_ino_args (linux/btrfs.h). Addresses are in bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = 56)]
internal unsafe struct ExtentOwnersRequest
{
    public ulong Logical;
    public ulong BufferSize;
    private fixed ulong _reserved[3];
    public ulong Flags;
    public ulong Buffer;
}

/// <summary>One reference to an extent, as written by BTRFS_IOC_LOGICAL_INO_V2.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ExtentOwner
{
    public ulong Inode;

    /// <summary>The offset in the file, in bytes.</summary>
    public ulong Offset;

    /// <summary>The subvolume.</summary>
    public ulong Root;

    /// <summary>Orders by subvolume, inode and offset.</summary>
    public static int Compare(ExtentOwner one, ExtentOwner other)
    {
        int order = one.Root.CompareTo(other.Root);
        order = order != 0 ? order : one.Inode.CompareTo(other.Inode);
        return order != 0 ? order : one.Offset.CompareTo(other.Offset);
    }
}

internal static unsafe partial class Sys
{
    // linux/btrfs.h: _IOWR(0x94, 59, struct btrfs_ioctl_logical_ino_args).
    private const nuint BtrfsIocLogicalInoV2 = 0xC038943B;

    // BTRFS_LOGICAL_INO_ARGS_IGNORE_OFFSET.
    private const ulong IgnoreOffset = 1;

    /// <summary>struct btrfs_data_container: bytes left and missing, elements counted and missed, then the elements.</summary>
    public const int OwnersHead = 16;

    private const int OwnersCount = 8;
    private const int OwnersMissed = 12;

    /// <summary>
    /// BTRFS_IOC_LOGICAL_INO_V2 (Linux 4.15): all references to a data extent, in any subvolume and snapshot. Requires
    /// CAP_SYS_ADMIN.
    /// </summary>
    /// <param name="descriptor">Any file on the filesystem.</param>
    /// <param name="extent">The start of the extent.</param>
    /// <param name="buffer">The buffer for the answer; the kernel uses at most 16 MiB of it.</param>
    /// <param name="owners">The references that fit.</param>
    /// <param name="missing">The number of bytes of references that did not fit.</param>
    public static CallResult ExtentOwners(
        Descriptor descriptor, ulong extent, Span<byte> buffer, out ReadOnlySpan<ExtentOwner> owners, out long missing)
    {
        CallResult result;
        fixed (byte* start = buffer)
        {
            ExtentOwnersRequest request = new()
            {
                Logical = extent,
                BufferSize = (ulong)buffer.Length,
                Flags = IgnoreOffset,
                Buffer = (ulong)start,
            };
            do
            {
                result = Result(ioctl(descriptor.Number, BtrfsIocLogicalInoV2, (nint)(&request)));
            }
            while (result.Is(Errno.EINTR));
        }

        // Elements are counted as numbers, of which each reference has three.
        const int Numbers = 3;
        ReadOnlySpan<ExtentOwner> room = MemoryMarshal.Cast<byte, ExtentOwner>(buffer[OwnersHead..]);
        uint count = result.Failed ? 0 : MemoryMarshal.Read<uint>(buffer[OwnersCount..]) / Numbers;
        owners = room[..(int)Math.Min(count, (uint)room.Length)];
        missing = result.Failed ? 0 : (long)sizeof(ulong) * MemoryMarshal.Read<uint>(buffer[OwnersMissed..]);
        return result;
    }
}
