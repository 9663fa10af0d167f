using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>Trees and item types (linux/btrfs_tree.h) that are searched for.</summary>
internal static class BtrfsKey
{
    public const ulong RootTree = 1;
    public const ulong ExtentTree = 2;

    /// <summary>BTRFS_FIRST_FREE_OBJECTID: the inode of a subvolume's root directory.</summary>
    public const ulong FirstFree = 256;

    public const uint InodeItem = 1;
    public const uint InodeRef = 12;
    public const uint InodeExtendedRef = 13;
    public const uint ExtentData = 108;
    public const uint RootItem = 132;
    public const uint ExtentItem = 168;
    public const uint ExtentOwnerRef = 172;
    public const uint ExtentDataRef = 178;
    public const uint SharedDataRef = 184;
}

/// <summary>
/// struct btrfs_ioctl_search_args_v2 (linux/btrfs.h); the room for the items follows it in memory. Keys are compared
/// as one number of objectid, type and offset, so that items of other types may lie between two of the wanted one.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 112)]
internal struct TreeSearchRequest
{
    /// <summary>0 is the subvolume that the file belongs to.</summary>
    public ulong TreeId;
    public ulong MinObjectId;
    public ulong MaxObjectId;
    public ulong MinOffset;
    public ulong MaxOffset;
    public ulong MinTransid;
    public ulong MaxTransid;
    public uint MinType;
    public uint MaxType;

    /// <summary>In: the most items wanted. Out: the items found.</summary>
    public uint ItemCount;
    private readonly uint _unused;
    private readonly ulong _unused1;
    private readonly ulong _unused2;
    private readonly ulong _unused3;
    private readonly ulong _unused4;

    /// <summary>Bytes that follow this.</summary>
    public ulong BufferSize;
}

/// <summary>struct btrfs_ioctl_search_header (linux/btrfs.h); the item's bytes follow it.</summary>
[StructLayout(LayoutKind.Sequential, Size = 32)]
internal struct TreeSearchHeader
{
    /// <summary>The generation of the leaf that holds the item, not of the item itself.</summary>
    public ulong Transid;
    public ulong ObjectId;
    public ulong Offset;
    public uint Type;
    public uint Length;
}

internal static unsafe partial class Sys
{
    /// <summary>The name of <see cref="TreeSearch"/> in errors.</summary>
    public const string TreeSearchCall = "BTRFS_IOC_TREE_SEARCH_V2";

    /// <summary>The name of <see cref="SubvolumeId"/> in errors.</summary>
    public const string SubvolumeCall = "BTRFS_IOC_INO_LOOKUP";

    // linux/btrfs.h: _IOWR(0x94, 17, struct btrfs_ioctl_search_args_v2), whose fixed part is 112 bytes.
    private const nuint BtrfsIocTreeSearchV2 = 0xC0709411;

    // linux/btrfs.h: _IOWR(0x94, 18, struct btrfs_ioctl_ino_lookup_args), which is 4096 bytes and begins with the
    // tree's id and the inode.
    private const nuint BtrfsIocInoLookup = 0xD0009412;
    private const int InoLookupSize = 4096;

    /// <summary>BTRFS_IOC_TREE_SEARCH_V2. Needs CAP_SYS_ADMIN in the first user namespace.</summary>
    public static int TreeSearch(int descriptor, TreeSearchRequest* request)
    {
        int result;
        do
        {
            result = Result(ioctl(descriptor, BtrfsIocTreeSearchV2, (nint)request));
        }
        while (result == -Errno.EINTR);
        return result;
    }

    /// <summary>BTRFS_IOC_INO_LOOKUP: the id of the subvolume that an open file belongs to. Needs no privilege.</summary>
    public static int SubvolumeId(int descriptor, out ulong id)
    {
        byte* argument = stackalloc byte[InoLookupSize];
        new Span<byte>(argument, 16).Clear();
        ((ulong*)argument)[1] = BtrfsKey.FirstFree;
        int result = Result(ioctl(descriptor, BtrfsIocInoLookup, (nint)argument));
        id = *(ulong*)argument;
        return result;
    }
}
