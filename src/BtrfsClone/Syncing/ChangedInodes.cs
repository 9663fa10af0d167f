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
internal sealed class ChangedInodes(Descriptor subvolume, string path, ulong since)
{
    /// <summary>
    /// So many at the most are told one by one, about 100 bytes each: where there are more, all is looked at, which costs
    /// little more then.
    /// </summary>
    public const int Most = 1 << 18;

    private readonly InodeRanges _ranges = new(BtrfsKey.FirstFree, ulong.MaxValue);

    /// <summary>Those that have changed.</summary>
    public List<ChangedInode> Changed { get; } = [];

    /// <summary>
    /// Directories, with their parents and names: those that were met on the way, and those of <see cref="ChangedInode.OnlyName"/>.
    /// </summary>
    public Dictionary<ulong, (ulong Parent, FileName Name)> Directories { get; } = [];

    /// <summary>Finds them, together with all threads that call this. Ends where there are more than <see cref="Most"/>.</summary>
    /// <param name="cancellation">Stops between two calls.</param>
    /// <exception cref="BtrfsException">The tree cannot be read.</exception>
    public void Find(CancellationToken cancellation)
    {
        var part = new ChangedPart(subvolume, path, since);
        for (InodeRanges.Part? range = _ranges.Take(null); range is not null; range = _ranges.Take(range))
        {
            part.Find(_ranges, range, cancellation);
        }

        part.FindDirectories(cancellation);
        lock (Changed)
        {
            Changed.AddRange(part.Changed);
            foreach ((ulong directory, (ulong Parent, FileName Name) place) in part.Directories)
            {
                Directories.TryAdd(directory, place);
            }
        }
    }
}
