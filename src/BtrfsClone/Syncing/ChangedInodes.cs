using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>An inode that has changed.</summary>
/// <param name="Inode">Its number.</param>
/// <param name="Type">The type bits of its mode.</param>
/// <param name="Transid">The transaction that changed it last.</param>
/// <param name="OnlyName">Its name and its directory, if it has no other name and this one was found.</param>
internal readonly record struct ChangedInode(ulong Inode, uint Type, ulong Transid, (ulong Directory, FileName Name)? OnlyName);

/// <summary>
/// Finds the inodes of a subvolume that have changed since a transaction. The kernel skips every part of the tree that is older, so
/// the time grows with the number of changes, not with the tree. Requires CAP_SYS_ADMIN.
/// </summary>
/// <remarks>
/// Each change of a file's data, xattrs, owner, mode, flags, times or links rewrites its inode item, and each change of a
/// directory's names that of the directory (btrfs_update_inode in fs/btrfs/inode.c). Operations that only move data, such as
/// balance, move it for all files that share it.
/// </remarks>
/// <param name="subvolume">Any open file or directory in the subvolume.</param>
/// <param name="path">The path to use in error messages.</param>
/// <param name="since">The last transaction whose changes are known.</param>
/// <param name="first">The lowest inode number to search for.</param>
/// <param name="last">The highest.</param>
internal sealed class ChangedInodes(
    Descriptor subvolume, string path, ulong since, ulong first = BtrfsKey.FirstFree, ulong last = ulong.MaxValue)
{
    /// <summary>
    /// The maximum number that is recorded individually, with about 100 bytes each: if there are more, everything is examined,
    /// which then costs little more.
    /// </summary>
    public const int Most = 1 << 18;

    /// <summary>The inodes that have changed.</summary>
    public List<ChangedInode> Changed { get; } = [];

    /// <summary>Directories found on the way, changed or not, with their parents and the names of some of them.</summary>
    public List<(ulong Directory, ulong Parent, FileName Name)> Met { get; } = [];

    /// <summary>Finds them. Stops when there are more than <see cref="Most"/>.</summary>
    /// <param name="cancellation">Cancels between two calls.</param>
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
                // The names of a directory and the extents of a file are not needed, and there can be many more of them.
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
