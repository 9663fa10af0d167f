using System.Buffers.Binary;
using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>The contents of a struct btrfs_inode_item (linux/btrfs_tree.h).</summary>
/// <param name="ChangeTime">Its ctime, in nanoseconds since 1970.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="LinkCount">The number of its names; an inode without any is still open, or about to be deleted.</param>
/// <param name="Mode">Type and permissions, as in stat(2).</param>
/// <param name="HasChecksums">Whether BTRFS_INODE_NODATASUM is not set.</param>
/// <param name="Generation">The transaction that created it, which distinguishes it from others with the same number.</param>
/// <param name="IsImmutable">Whether BTRFS_INODE_IMMUTABLE is set.</param>
internal readonly record struct InodeFacts(
    long ChangeTime, long Size, uint LinkCount, uint Mode, bool HasChecksums, ulong Generation, bool IsImmutable);

/// <summary>Parses inode items from untrusted bytes: items that are too short or invalid are rejected.</summary>
internal static class InodeItems
{
    // struct btrfs_inode_item.
    private const int Size = 160;
    private const int SizeOffset = 16;
    private const int LinkCountOffset = 40;
    private const int ModeOffset = 52;
    private const int FlagsOffset = 64;
    private const int ChangeTimeOffset = 124;
    private const ulong NoChecksum = 1; // BTRFS_INODE_NODATASUM (fs/btrfs/btrfs_inode.h)
    private const ulong Immutable = 1 << 6; // BTRFS_INODE_IMMUTABLE

    // struct btrfs_inode_ref, in an item whose offset is the directory; and struct btrfs_inode_extref, which starts with it.
    private const int RefNameLength = 8;
    private const int RefName = 10;
    private const int ExtendedRefNameLength = 16;
    private const int ExtendedRefName = 18;

    public static bool TryRead(ReadOnlySpan<byte> item, out InodeFacts facts)
    {
        if (item.Length < Size)
        {
            facts = default;
            return false;
        }

        long size = BinaryPrimitives.ReadInt64LittleEndian(item[SizeOffset..]);
        ulong flags = BinaryPrimitives.ReadUInt64LittleEndian(item[FlagsOffset..]);
        facts = new InodeFacts(
            (BinaryPrimitives.ReadInt64LittleEndian(item[ChangeTimeOffset..]) * 1_000_000_000) +
                BinaryPrimitives.ReadUInt32LittleEndian(item[(ChangeTimeOffset + sizeof(long))..]),
            size,
            BinaryPrimitives.ReadUInt32LittleEndian(item[LinkCountOffset..]),
            BinaryPrimitives.ReadUInt32LittleEndian(item[ModeOffset..]),
            (flags & NoChecksum) == 0,
            BinaryPrimitives.ReadUInt64LittleEndian(item),
            (flags & Immutable) != 0);
        return size >= 0;
    }

    /// <summary>Reads the first name in an INODE_REF or INODE_EXTREF item, and the inode of its directory.</summary>
    public static bool TryReadName(
        in TreeSearchHeader header, ReadOnlySpan<byte> item, out ulong directory, out ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> rest = item;
        return TryTakeName(header, ref rest, out directory, out name);
    }

    /// <summary>Takes the next name from an INODE_REF or INODE_EXTREF item, and the inode of its directory.</summary>
    /// <param name="header">The item's header.</param>
    /// <param name="rest">The rest of the item.</param>
    /// <param name="directory">The directory.</param>
    /// <param name="name">The name.</param>
    public static bool TryTakeName(
        scoped in TreeSearchHeader header, scoped ref ReadOnlySpan<byte> rest, out ulong directory, out ReadOnlySpan<byte> name)
    {
        bool isExtended = header.Type == BtrfsKey.InodeExtendedRef;
        int start = isExtended ? ExtendedRefName : RefName;
        directory = 0;
        name = default;
        if (rest.Length < start)
        {
            return false;
        }

        int length = BinaryPrimitives.ReadUInt16LittleEndian(rest[(isExtended ? ExtendedRefNameLength : RefNameLength)..]);
        if (length == 0 || length > rest.Length - start)
        {
            return false;
        }

        directory = isExtended ? BinaryPrimitives.ReadUInt64LittleEndian(rest) : header.Offset;
        name = rest.Slice(start, length);
        rest = rest[(start + length)..];
        return true;
    }

    /// <summary>Counts the names in an INODE_REF or INODE_EXTREF item, up to a malformed one.</summary>
    public static int CountNames(in TreeSearchHeader header, ReadOnlySpan<byte> item)
    {
        int count = 0;
        while (TryTakeName(header, ref item, out _, out _))
        {
            count++;
        }

        return count;
    }
}
