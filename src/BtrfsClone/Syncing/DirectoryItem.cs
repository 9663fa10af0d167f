using System.Buffers.Binary;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>A name in a directory, from a DIR_ITEM item.</summary>
/// <param name="IsSubvolume">Whether it names the root of a subvolume.</param>
/// <param name="Transid">The transaction that created the name: for a renamed entry, that of the rename.</param>
internal readonly record struct DirectoryItem(bool IsSubvolume, ulong Transid)
{
    /// <summary>struct btrfs_dir_item: followed by the name, and by other data stored with it.</summary>
    public const int Size = 30;

    /// <summary>After a struct btrfs_disk_key.</summary>
    public const int TransidOffset = 17;

    private const int KeyTypeOffset = 8;
    private const int DataLengthOffset = 25;
    private const int NameLengthOffset = 27;

    /// <summary>Takes the first entry of an item. False if it is malformed.</summary>
    public static bool TryTake(ref ReadOnlySpan<byte> rest, out DirectoryItem item, out ReadOnlySpan<byte> name)
    {
        item = default;
        name = default;
        if (rest.Length < Size)
        {
            return false;
        }

        int length = BinaryPrimitives.ReadUInt16LittleEndian(rest[NameLengthOffset..]);
        int end = Size + length + BinaryPrimitives.ReadUInt16LittleEndian(rest[DataLengthOffset..]);
        if (end > rest.Length)
        {
            return false;
        }

        item = new DirectoryItem(
            rest[KeyTypeOffset] != BtrfsKey.InodeItem, BinaryPrimitives.ReadUInt64LittleEndian(rest[TransidOffset..]));
        name = rest.Slice(Size, length);
        rest = rest[end..];
        return true;
    }
}
