using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>Reads the names of inodes from a subvolume's tree. Needs CAP_SYS_ADMIN.</summary>
/// <param name="search">What searches in the subvolume.</param>
internal sealed class InodeNames(TreeSearch search)
{
    /// <summary>The names of an inode, each with the directory that it is in: of one with hard links, all.</summary>
    /// <exception cref="BtrfsException">The tree cannot be read.</exception>
    public List<(ulong Directory, FileName Name)> Of(ulong inode)
    {
        var names = new List<(ulong, FileName)>();
        var next = new ItemKey(inode, BtrfsKey.InodeRef, 0);
        do
        {
            Find(inode, next, uint.MaxValue);
            while (search.Next(out TreeSearchHeader header, out ReadOnlySpan<byte> item))
            {
                next = new ItemKey(header.ObjectId, header.Type, header.Offset).Next;
                while (item.Length > 0)
                {
                    if (!InodeItems.TryTakeName(header, ref item, out ulong directory, out ReadOnlySpan<byte> name))
                    {
                        throw search.Malformed();
                    }

                    names.Add((directory, new FileName(name)));
                }
            }
        }
        while (search.MayHaveMore);
        return names;
    }

    /// <summary>
    /// The name of a directory, which has only one, and the directory that it is in. Null where it is not there (any more).
    /// </summary>
    /// <remarks>
    /// The kernel compares the rest of a leaf with what is asked for unless it has found as many items as are wanted
    /// (copy_to_sk in fs/btrfs/ioctl.c): to want one takes a fifth of the time.
    /// </remarks>
    /// <exception cref="BtrfsException">The tree cannot be read.</exception>
    public (ulong Parent, FileName Name)? OfDirectory(ulong inode)
    {
        Find(inode, new ItemKey(inode, BtrfsKey.InodeRef, 0), count: 1);
        if (!search.Next(out TreeSearchHeader header, out ReadOnlySpan<byte> item))
        {
            return null;
        }

        return InodeItems.TryReadName(header, item, out ulong directory, out ReadOnlySpan<byte> name)
            ? (directory, new FileName(name))
            : throw search.Malformed();
    }

    private void Find(ulong inode, in ItemKey from, uint count) =>
        search.Find(0, from, new ItemKey(inode, BtrfsKey.InodeExtendedRef, ulong.MaxValue), count);
}
