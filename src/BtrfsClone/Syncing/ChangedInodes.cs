using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>An inode that has changed.</summary>
/// <param name="Inode">Its number.</param>
/// <param name="Type">The type bits of its mode.</param>
/// <param name="Transid">The transaction that changed it last.</param>
/// <param name="OnlyName">Its name and the directory that it is in, where it has no other and the name was met.</param>
internal readonly record struct ChangedInode(ulong Inode, uint Type, ulong Transid, (ulong Directory, FileName Name)? OnlyName);

/// <summary>
/// Finds the inodes of a subvolume that have changed since a transaction. The kernel passes over every part of the tree
/// that is older, so that the time grows with the changes and not with the tree. Needs CAP_SYS_ADMIN.
/// </summary>
/// <remarks>
/// Each change of a file's data, xattrs, owner, mode, flags, times or links rewrites its inode item, and each change of a
/// directory's names that of the directory (btrfs_update_inode in fs/btrfs/inode.c). What moves data alone, as balance
/// does, moves it for all who share it.
/// </remarks>
internal static class ChangedInodes
{
    /// <summary>
    /// So many at the most are told one by one, about 100 bytes each: where there are more, all is looked at, which costs
    /// little more then.
    /// </summary>
    public const int Most = 1 << 18;

    /// <summary>Finds those that have changed.</summary>
    /// <param name="subvolume">Something open in the subvolume.</param>
    /// <param name="path">What to call it in errors.</param>
    /// <param name="since">The last transaction whose changes are known.</param>
    /// <param name="paths">Gets the names of directories that are met.</param>
    /// <param name="cancellation">Stops between two calls.</param>
    /// <returns>Null where there are more than <see cref="Most"/>.</returns>
    /// <exception cref="BtrfsException">The tree cannot be read.</exception>
    public static List<ChangedInode>? Find(
        Descriptor subvolume, string path, ulong since, RelativePaths paths, CancellationToken cancellation)
    {
        var search = new TreeSearch();
        search.Start(subvolume, path);
        var changed = new List<ChangedInode>();
        (ulong Inode, bool IsDirectory) named = default;
        var next = new ItemKey(BtrfsKey.FirstFree, 0, 0);
        var last = new ItemKey(ulong.MaxValue, uint.MaxValue, ulong.MaxValue);
        while (search.Find(0, next, last, uint.MaxValue, since + 1) > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            while (search.Next(out TreeSearchHeader header, out ReadOnlySpan<byte> item))
            {
                next = new ItemKey(header.ObjectId, header.Type, header.Offset).Next;
                if (header.ObjectId == named.Inode && header.Type is BtrfsKey.InodeRef or BtrfsKey.InodeExtendedRef &&
                    InodeItems.TryReadName(header, item, out ulong directory, out ReadOnlySpan<byte> name))
                {
                    if (named.IsDirectory)
                    {
                        paths.Add(named.Inode, directory, new FileName(name));
                    }
                    else
                    {
                        changed[^1] = changed[^1] with { OnlyName = (directory, new FileName(name)) };
                    }

                    named = default;
                }

                if (header.Type != BtrfsKey.InodeItem)
                {
                    continue;
                }

                if (!InodeState.TryRead(item, out InodeState state))
                {
                    throw search.Malformed();
                }

                uint type = state.Mode & Sys.ModeTypeMask;
                bool isDirectory = type == Sys.ModeDirectory;
                bool isChanged = state.Transid > since;
                named = isDirectory || (isChanged && state.LinkCount == 1) ? (header.ObjectId, isDirectory) : default;
                if (isChanged)
                {
                    changed.Add(new ChangedInode(header.ObjectId, type, state.Transid, OnlyName: null));
                }
            }

            if (changed.Count > Most)
            {
                return null;
            }

            if (!search.MayHaveMore)
            {
                break;
            }
        }

        return changed;
    }
}
