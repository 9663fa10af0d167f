using System.Buffers.Binary;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>A name in a directory, as a DIR_ITEM item has it.</summary>
/// <param name="IsSubvolume">Whether it names the root of a subvolume.</param>
/// <param name="Transid">The transaction that made the name: a renamed entry's is that of the renaming.</param>
internal readonly record struct DirectoryItem(bool IsSubvolume, ulong Transid)
{
    /// <summary>struct btrfs_dir_item: the name follows it, and then what else is kept with it.</summary>
    public const int Size = 30;

    /// <summary>Behind a struct btrfs_disk_key.</summary>
    public const int TransidOffset = 17;

    private const int KeyTypeOffset = 8;
    private const int DataLengthOffset = 25;
    private const int NameLengthOffset = 27;

    /// <summary>Takes the first of what an item holds. False where it is not as the format says.</summary>
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
