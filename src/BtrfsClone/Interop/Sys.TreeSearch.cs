using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>The trees and item types (linux/btrfs_tree.h) that are searched.</summary>
internal static class BtrfsKey
{
    public const ulong RootTree = 1;
    public const ulong ExtentTree = 2;

    /// <summary>BTRFS_FS_TREE_OBJECTID: the subvolume that contains all others.</summary>
    public const ulong TopLevel = 5;

    public const ulong ChecksumTree = 7;

    /// <summary>BTRFS_EXTENT_CSUM_OBJECTID: the only object id in the checksum tree.</summary>
    public const ulong ExtentChecksums = unchecked((ulong)-10);

    /// <summary>BTRFS_FIRST_FREE_OBJECTID: the inode of a subvolume's root directory.</summary>
    public const ulong FirstFree = 256;

    /// <summary>BTRFS_LAST_FREE_OBJECTID: the highest subvolume id and inode number.</summary>
    public const ulong LastFree = unchecked((ulong)-256);

    public const uint InodeItem = 1;
    public const uint InodeRef = 12;
    public const uint InodeExtendedRef = 13;
    public const uint XattrItem = 24;
    public const uint DirectoryItem = 84;
    public const uint ExtentData = 108;
    public const uint ExtentChecksum = 128;
    public const uint RootItem = 132;
    public const uint RootBackReference = 144;
    public const uint ExtentItem = 168;
    public const uint ExtentOwnerRef = 172;
    public const uint ExtentDataRef = 178;
    public const uint SharedDataRef = 184;
}

/// <summary>
/// struct btrfs_ioctl_search_args_v2 (linux/btrfs.h); the buffer for the items follows it in memory. Keys are compared as one
/// number of objectid, type and offset, so items of other types may be between two of the wanted one.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 112)]
internal struct TreeSearchRequest
{
    /// <summary>0 means the subvolume that the file belongs to.</summary>
    public ulong TreeId;
    public ulong MinObjectId;
    public ulong MaxObjectId;
    public ulong MinOffset;
    public ulong MaxOffset;
    public ulong MinTransid;
    public ulong MaxTransid;
    public uint MinType;
    public uint MaxType;

    /// <summary>In: the maximum number of items. Out: the number of items found.</summary>
    public uint ItemCount;
    private readonly uint _unused;
    private readonly ulong _unused1;
    private readonly ulong _unused2;
    private readonly ulong _unused3;
    private readonly ulong _unused4;

    /// <summary>The number of bytes that follow this structure.</summary>
    public ulong BufferSize;
}

/// <summary>struct btrfs_ioctl_search_header (linux/btrfs.h); the item's bytes follow it.</summary>
[StructLayout(LayoutKind.Sequential, Size = 32)]
internal struct TreeSearchHeader
{
    /// <summary>The generation of the leaf that contains the item, not of the item itself.</summary>
    public ulong Transid;
    public ulong ObjectId;
    public ulong Offset;
    public uint Type;
    public uint Length;
}

internal static unsafe partial class Sys
{
    // linux/btrfs.h: _IOWR(0x94, 17, struct btrfs_ioctl_search_args_v2), whose fixed part is 112 bytes.
    private const nuint BtrfsIocTreeSearchV2 = 0xC0709411;

    // linux/btrfs.h: _IOWR(0x94, 18, struct btrfs_ioctl_ino_lookup_args), which is 4096 bytes and starts with the tree's id and the
    // inode.
    private const nuint BtrfsIocInoLookup = 0xD0009412;
    private const int InoLookupSize = 4096;

    /// <summary>BTRFS_IOC_TREE_SEARCH_V2. Requires CAP_SYS_ADMIN in the initial user namespace.</summary>
    public static CallResult TreeSearch(Descriptor descriptor, TreeSearchRequest* request)
    {
        CallResult result;
        do
        {
            result = Result(ioctl(descriptor.Number, BtrfsIocTreeSearchV2, (nint)request));
        }
        while (result.Is(Errno.EINTR));
        return result;
    }

    /// <summary>BTRFS_IOC_INO_LOOKUP: the id of the subvolume that an open file belongs to. Requires no privilege.</summary>
    public static CallResult SubvolumeId(Descriptor descriptor, out ulong id)
    {
        byte* argument = stackalloc byte[InoLookupSize];
        new Span<byte>(argument, 16).Clear();
        ((ulong*)argument)[1] = BtrfsKey.FirstFree;
        CallResult result = Result(ioctl(descriptor.Number, BtrfsIocInoLookup, (nint)argument));
        id = *(ulong*)argument;
        return result;
    }
}
