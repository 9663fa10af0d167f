using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>
/// Parses on-disk structures (linux/btrfs_tree.h) from untrusted bytes: items that are too short or invalid are rejected, and
/// nothing is read beyond their ends.
/// </summary>
internal static class TreeItems
{
    // struct btrfs_file_extent_item: the fixed part of an inline one, and a whole one.
    private const int InlineHeadSize = 21;
    private const int FileExtentSize = 53;

    private const byte TypeInline = 0;
    private const byte TypePrealloc = 2;

    private const int ExtentItemSize = 24;
    private const int ExtentDataRefSize = 28;
    private const int SharedDataRefSize = 12;

    // BTRFS_EXTENT_FLAG_DATA.
    private const ulong ExtentFlagData = 1;

    private const int InodeItemSize = 160;
    private const int InodeBytesOffset = 24;

    // struct btrfs_root_item starts with an inode item; generation follows, and after five numbers last_snapshot and flags.
    private const int RootGenerationOffset = InodeItemSize;
    private const int RootLastSnapshotOffset = InodeItemSize + 40;
    private const int RootFlagsOffset = RootLastSnapshotOffset + 8;
    private const ulong RootReadOnly = 1; // BTRFS_ROOT_SUBVOL_RDONLY
    private const int RootReferencesOffset = RootLastSnapshotOffset + 16;

    // struct btrfs_root_ref, which ends with the length of the name that follows it.
    private const int RootRefSize = 18;

    /// <summary>Takes a header and its item from the front of a search result.</summary>
    public static bool TryTake(ReadOnlySpan<byte> result, out TreeSearchHeader header, out ReadOnlySpan<byte> item)
    {
        item = default;
        if (!MemoryMarshal.TryRead(result, out header))
        {
            return false;
        }

        int size = Unsafe.SizeOf<TreeSearchHeader>();
        if (header.Length > (uint)(result.Length - size))
        {
            return false;
        }

        item = result.Slice(size, (int)header.Length);
        return true;
    }

    /// <summary>
    /// Reads a struct btrfs_file_extent_item. The item of a hole, which only exists on filesystems without the no-holes feature,
    /// becomes a <see cref="ExtentKind.Hole"/>.
    /// </summary>
    public static bool TryReadFileExtent(ReadOnlySpan<byte> item, ulong fileOffset, out FileExtent extent)
    {
        extent = default;
        if (item.Length < InlineHeadSize)
        {
            return false;
        }

        ulong generation = U64(item, 0);
        ulong ramLength = U64(item, 8);
        ExtentCompression? compression = item[16] <= (byte)ExtentCompression.Zstd ? (ExtentCompression)item[16] : null;
        byte type = item[20];
        if (type == TypeInline)
        {
            if (!IsRange(fileOffset, ramLength) || !IsNumber(generation))
            {
                return false;
            }

            extent = FileExtent.Inline(
                (long)fileOffset, (long)ramLength, item.Length - InlineHeadSize, compression, (long)generation);
            return true;
        }

        if (item.Length < FileExtentSize || type > TypePrealloc)
        {
            return false;
        }

        ulong diskOffset = U64(item, 21);
        ulong diskLength = U64(item, 29);
        ulong extentOffset = U64(item, 37);
        ulong length = U64(item, 45);
        if (length == 0 || !IsRange(fileOffset, length) || !IsRange(diskOffset, diskLength) ||
            !IsRange(diskOffset, extentOffset) || !IsNumber(ramLength) || !IsNumber(generation))
        {
            return false;
        }

        extent = diskOffset == 0
            ? FileExtent.Hole((long)fileOffset, (long)length)
            : FileExtent.OnDisk(
                (long)fileOffset,
                (long)length,
                type == TypePrealloc ? ExtentKind.Prealloc : ExtentKind.Data,
                (long)diskOffset,
                (long)diskLength,
                (long)extentOffset,
                (long)ramLength,
                compression,
                (long)generation);
        return true;
    }

    /// <summary>Reads a struct btrfs_extent_item of a data extent with its inline references.</summary>
    /// <param name="item">The item.</param>
    /// <param name="root">The file's subvolume.</param>
    /// <param name="inode">The file's inode.</param>
    /// <param name="references">The number of all references, including those in separate items.</param>
    /// <param name="sharing">Whether the extent is shared, as far as the references show it.</param>
    public static bool TryReadReferences(
        ReadOnlySpan<byte> item, ulong root, ulong inode, out ulong references, out Sharing sharing)
    {
        references = 0;
        sharing = Sharing.Unknown;
        if (item.Length < ExtentItemSize || (U64(item, 16) & ExtentFlagData) == 0)
        {
            return false;
        }

        references = U64(item, 0);
        ulong counted = 0;
        int referrers = 0;
        bool own = false;
        for (ReadOnlySpan<byte> rest = item[ExtentItemSize..]; rest.Length > 0;)
        {
            uint type = rest[0];
            rest = rest[1..];
            int size = type switch
            {
                BtrfsKey.ExtentDataRef => ExtentDataRefSize,
                BtrfsKey.SharedDataRef => SharedDataRefSize,
                BtrfsKey.ExtentOwnerRef => sizeof(ulong),
                _ => int.MaxValue,
            };
            if (rest.Length < size)
            {
                return false;
            }

            if (type == BtrfsKey.ExtentDataRef)
            {
                own = U64(rest, 0) == root && U64(rest, 8) == inode;
                counted += U32(rest, 24);
                referrers++;
            }
            else if (type == BtrfsKey.SharedDataRef)
            {
                own = false;
                counted += U32(rest, 8);
                referrers++;
                sharing = Sharing.AskKernel;
            }

            rest = rest[size..];
        }

        // References that did not fit are in separate items.
        if (counted < references)
        {
            referrers++;
            sharing = Sharing.AskKernel;
        }

        sharing = referrers > 1 ? Sharing.Shared
            : sharing == Sharing.AskKernel || referrers == 0 ? Sharing.AskKernel
            : own ? Sharing.OwnLeaf
            : Sharing.Shared;
        return IsNumber(references);
    }

    /// <summary>Reads nbytes of a struct btrfs_inode_item: the bytes of a file in extents.</summary>
    public static bool TryReadInodeBytes(ReadOnlySpan<byte> item, out ulong bytes)
    {
        bytes = item.Length >= InodeItemSize ? U64(item, InodeBytesOffset) : 0;
        return item.Length >= InodeItemSize;
    }

    /// <summary>Reads generation and last_snapshot of a struct btrfs_root_item.</summary>
    public static bool TryReadRoot(ReadOnlySpan<byte> item, out ulong generation, out ulong lastSnapshot)
    {
        bool fits = item.Length >= RootLastSnapshotOffset + sizeof(ulong);
        generation = fits ? U64(item, RootGenerationOffset) : 0;
        lastSnapshot = fits ? U64(item, RootLastSnapshotOffset) : 0;
        return fits;
    }

    /// <summary>Reads from the flags of a struct btrfs_root_item whether the subvolume is read-only.</summary>
    public static bool TryReadRootIsReadOnly(ReadOnlySpan<byte> item, out bool isReadOnly)
    {
        bool fits = item.Length >= RootFlagsOffset + sizeof(ulong);
        isReadOnly = fits && (U64(item, RootFlagsOffset) & RootReadOnly) != 0;
        return fits;
    }

    /// <summary>Reads refs of a struct btrfs_root_item: 0 for a subvolume that is being deleted.</summary>
    public static bool TryReadRootReferences(ReadOnlySpan<byte> item, out uint references)
    {
        bool fits = item.Length >= RootReferencesOffset + sizeof(uint);
        references = fits ? U32(item, RootReferencesOffset) : 0;
        return fits;
    }

    /// <summary>Reads a struct btrfs_root_ref: the directory that contains a subvolume, and its name there.</summary>
    public static bool TryReadRootReference(ReadOnlySpan<byte> item, out ulong directory, out ReadOnlySpan<byte> name)
    {
        directory = 0;
        name = default;
        if (item.Length <= RootRefSize ||
            BinaryPrimitives.ReadUInt16LittleEndian(item[(RootRefSize - sizeof(ushort))..]) != item.Length - RootRefSize)
        {
            return false;
        }

        directory = U64(item, 0);
        name = item[RootRefSize..];
        return true;
    }

    /// <summary>Reads generation of a struct btrfs_extent_item: the transaction that allocated the extent.</summary>
    public static bool TryReadExtentGeneration(ReadOnlySpan<byte> item, out ulong generation)
    {
        generation = item.Length >= ExtentItemSize ? U64(item, 8) : 0;
        return item.Length >= ExtentItemSize;
    }

    /// <summary>Reads refs of a struct btrfs_extent_item: the number of all references, including those in separate items.</summary>
    public static bool TryReadReferenceCount(ReadOnlySpan<byte> item, out ulong references)
    {
        references = item.Length >= ExtentItemSize ? U64(item, 0) : 0;
        return item.Length >= ExtentItemSize;
    }

    private static bool IsNumber(ulong value) => value <= long.MaxValue;

    private static bool IsRange(ulong start, ulong length) =>
        start <= long.MaxValue && length <= long.MaxValue - start;

    private static ulong U64(ReadOnlySpan<byte> bytes, int offset) =>
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[offset..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int offset) =>
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);
}

/// <summary>Whether an extent is shared, in FIEMAP's sense, as far as its references show it.</summary>
internal enum Sharing
{
    /// <summary>Unknown: the extent is not in the extent tree yet.</summary>
    Unknown,

    /// <summary>It is referenced more than once, or by another file.</summary>
    Shared,

    /// <summary>Only the file references it, so it is shared only if a snapshot shares the leaf with the reference.</summary>
    OwnLeaf,

    /// <summary>The kernel has to follow the references.</summary>
    AskKernel,
}
