using System.Buffers.Binary;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>The fields of a struct btrfs_inode_item (linux/btrfs_tree.h).</summary>
internal readonly struct InodeState
{
    private const int Size = 160;

    // BTRFS_INODE_NODATACOW, NOCOMPRESS, SYNC, IMMUTABLE, APPEND, NODUMP, NOATIME, DIRSYNC and COMPRESS (fs/btrfs/btrfs_inode.h):
    // the flags that FS_IOC_GETFLAGS returns.
    private const ulong VisibleFlags = 0x2 | 0x8 | 0x20 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800;

    private const ulong NoCompress = 0x8;
    private const ulong Compress = 0x800;

    private InodeState(ReadOnlySpan<byte> item)
    {
        Transid = U64(item, 8);
        Length = U64(item, 16);
        LinkCount = U32(item, 40);
        Uid = U32(item, 44);
        Gid = U32(item, 48);
        Mode = U32(item, 52);
        Device = U64(item, 56);
        Flags = Visible(U64(item, 64));
        ChangeTime = (U64(item, 124), U32(item, 132));
        ModifyTime = (U64(item, 136), U32(item, 144));
    }

    /// <summary>The transaction that changed the inode last.</summary>
    public ulong Transid { get; }

    /// <summary>The size in bytes.</summary>
    public ulong Length { get; }

    public uint LinkCount { get; }

    public uint Uid { get; }

    public uint Gid { get; }

    /// <summary>Type and permissions.</summary>
    public uint Mode { get; }

    /// <summary>The device number of a device node.</summary>
    public ulong Device { get; }

    public ulong Flags { get; }

    /// <summary>Seconds since 1970 and nanoseconds.</summary>
    public (ulong Seconds, uint Nanoseconds) ChangeTime { get; }

    /// <summary>Seconds since 1970 and nanoseconds.</summary>
    public (ulong Seconds, uint Nanoseconds) ModifyTime { get; }

    /// <summary>Parses an item. False if it is too short.</summary>
    public static bool TryRead(ReadOnlySpan<byte> item, out InodeState state)
    {
        state = item.Length >= Size ? new InodeState(item) : default;
        return item.Length >= Size;
    }

    /// <summary>Whether owner, mode and modification time are equal.</summary>
    public bool HasMetadataOf(in InodeState other) =>
        Uid == other.Uid && Gid == other.Gid && Mode == other.Mode && ModifyTime == other.ModifyTime;

    /// <summary>
    /// Whether the flags are equal. Links and special files also inherit flags from their directory, but theirs cannot be changed.
    /// </summary>
    public bool HasFlagsOf(in InodeState other) =>
        Flags == other.Flags || (Mode & Sys.ModeTypeMask) is not (Sys.ModeRegular or Sys.ModeDirectory);

    /// <summary>
    /// Whether the flag that enables compression is set. The kernel also sets it without the corresponding property, which no one
    /// else can: a clone has both.
    /// </summary>
    public bool IsCompressed => (Flags & Compress) != 0;

    /// <summary>For data that does not compress well, the kernel sets NOCOMPRESS, which then hides COMPRESS.</summary>
    private static ulong Visible(ulong flags) =>
        flags & VisibleFlags & ((flags & NoCompress) != 0 ? ~Compress : ulong.MaxValue);

    private static ulong U64(ReadOnlySpan<byte> item, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(item[offset..]);

    private static uint U32(ReadOnlySpan<byte> item, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(item[offset..]);
}
