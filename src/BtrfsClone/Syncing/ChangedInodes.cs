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
/// <param name="subvolume">Something open in the subvolume.</param>
/// <param name="path">What to call it in errors.</param>
/// <param name="since">The last transaction whose changes are known.</param>
/// <param name="first">The least number of an inode that is looked for.</param>
/// <param name="last">The greatest.</param>
internal sealed class ChangedInodes(
    Descriptor subvolume, string path, ulong since, ulong first = BtrfsKey.FirstFree, ulong last = ulong.MaxValue)
{
    /// <summary>
    /// So many at the most are told one by one, about 100 bytes each: where there are more, all is looked at, which costs
    /// little more then.
    /// </summary>
    public const int Most = 1 << 18;

    /// <summary>Those that have changed.</summary>
    public List<ChangedInode> Changed { get; } = [];

    /// <summary>Directories that were met on the way, changed or not, with the names of some: their parents and theirs.</summary>
    public List<(ulong Directory, ulong Parent, FileName Name)> Met { get; } = [];

    /// <summary>Finds them. Ends where there are more than <see cref="Most"/>.</summary>
    /// <param name="cancellation">Stops between two calls.</param>
    /// <exception cref="BtrfsException">The tree cannot be read.</exception>
    public void Find(CancellationToken cancellation)
    {
        var search = new TreeSearch();
        search.Start(subvolume, path);
        (ulong Inode, bool IsDirectory) named = default;
        var next = new ItemKey(first, 0, 0);
        var end = new ItemKey(last, uint.MaxValue, ulong.MaxValue);
        while (Changed.Count <= Most && search.Find(0, next, end, uint.MaxValue, since + 1) > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            while (search.Next(out TreeSearchHeader header, out ReadOnlySpan<byte> item))
            {
                next = new ItemKey(header.ObjectId, header.Type, header.Offset).Next;
                if (header.ObjectId == named.Inode && header.Type is BtrfsKey.InodeRef or BtrfsKey.InodeExtendedRef &&
                    InodeItems.TryReadName(header, item, out ulong directory, out ReadOnlySpan<byte> name))
                {
                    Name(named.IsDirectory, header.ObjectId, directory, new FileName(name));
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
                    Changed.Add(new ChangedInode(header.ObjectId, type, state.Transid, OnlyName: null));
                }
            }

            if (!search.MayHaveMore)
            {
                break;
            }

            if (next.Type > BtrfsKey.InodeExtendedRef)
            {
                // Nothing is wanted of a directory's names and a file's extents, of which there can be many more.
                next = new ItemKey(next.ObjectId + 1, 0, 0);
            }
        }
    }

    private void Name(bool isDirectory, ulong inode, ulong parent, FileName name)
    {
        if (!isDirectory)
        {
            Changed[^1] = Changed[^1] with { OnlyName = (parent, name) };
        }
        else if (Met.Count < Most)
        {
            Met.Add((inode, parent, name));
        }
    }
}
