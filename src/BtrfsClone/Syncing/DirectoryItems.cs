using System.Buffers.Binary;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>A name in a directory, as its DIR_INDEX item has it.</summary>
/// <param name="Inode">The inode that it names; of a nested subvolume, the number of its tree.</param>
/// <param name="IsSubvolume">Whether it names the root of a subvolume.</param>
/// <param name="Transid">The transaction that made the name: a renamed entry's is that of the renaming.</param>
internal readonly record struct DirectoryItem(ulong Inode, bool IsSubvolume, ulong Transid);

/// <summary>Reads the names of directories, and the names of inodes, from a subvolume's tree. Needs CAP_SYS_ADMIN.</summary>
/// <param name="subvolume">Something open in the subvolume.</param>
/// <param name="path">What to call it in errors.</param>
internal sealed class DirectoryItems(Descriptor subvolume, string path)
{
    private const int DirectoryItemSize = 30; // struct btrfs_dir_item
    private const int DirectoryItemTransid = 17;
    private const int DirectoryItemNameLength = 27;

    private readonly InodeCursor _cursor = NewCursor(subvolume, path);

    /// <summary>The names in a directory.</summary>
    /// <exception cref="BtrfsException">The tree cannot be read.</exception>
    public Dictionary<FileName, DirectoryItem> NamesIn(ulong directory)
    {
        var names = new Dictionary<FileName, DirectoryItem>();
        _cursor.Seek(directory, BtrfsKey.DirectoryIndex, BtrfsKey.DirectoryIndex);
        while (_cursor.MoveNext())
        {
            ReadOnlySpan<byte> item = _cursor.Item;
            int length = item.Length < DirectoryItemSize
                ? int.MaxValue
                : BinaryPrimitives.ReadUInt16LittleEndian(item[DirectoryItemNameLength..]);
            if (length > item.Length - DirectoryItemSize)
            {
                throw _cursor.Malformed();
            }

            names[new FileName(item.Slice(DirectoryItemSize, length))] = new DirectoryItem(
                BinaryPrimitives.ReadUInt64LittleEndian(item),
                item[sizeof(ulong)] != BtrfsKey.InodeItem,
                BinaryPrimitives.ReadUInt64LittleEndian(item[DirectoryItemTransid..]));
        }

        return names;
    }

    /// <summary>The names of an inode, each with the directory that it is in: of one with hard links, all.</summary>
    /// <exception cref="BtrfsException">The tree cannot be read.</exception>
    public List<(ulong Directory, FileName Name)> NamesOf(ulong inode)
    {
        var names = new List<(ulong, FileName)>();
        _cursor.Seek(inode, BtrfsKey.InodeRef, BtrfsKey.InodeExtendedRef);
        while (_cursor.MoveNext())
        {
            for (ReadOnlySpan<byte> rest = _cursor.Item; rest.Length > 0;)
            {
                if (!InodeItems.TryTakeName(_cursor.Header, ref rest, out ulong directory, out ReadOnlySpan<byte> name))
                {
                    throw _cursor.Malformed();
                }

                names.Add((directory, new FileName(name)));
            }
        }

        return names;
    }

    private static InodeCursor NewCursor(Descriptor subvolume, string path)
    {
        var cursor = new InodeCursor();
        cursor.Start(subvolume, path);
        return cursor;
    }
}
