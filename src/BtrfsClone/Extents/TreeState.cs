using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>
/// Whether the trees stand still. Without a running transaction nothing in them changes between two calls, every
/// reference is in the extent tree, and every write that has ended is in the file's items.
/// </summary>
internal sealed class TreeState(TreeSearch search)
{
    private int _descriptor;
    private ulong _root;
    private ulong _inode;
    private ulong _quiet;
    private ulong _inodeBytes;

    /// <summary>
    /// The transaction that made the last snapshot of the file's subvolume: leaves that are newer belong to no
    /// snapshot (btrfs_root_last_snapshot in fs/btrfs/backref.c).
    /// </summary>
    public ulong LastSnapshot { get; private set; }

    public void Start(int descriptor, ulong root, ulong inode)
    {
        _descriptor = descriptor;
        _root = root;
        _inode = inode;
        _quiet = 0;
    }

    /// <summary>Goes on by another open file of the same subvolume.</summary>
    public void Use(int descriptor) => _descriptor = descriptor;

    /// <summary>Looks whether a transaction runs. Returns a negative errno where the trees cannot be read.</summary>
    public int Look()
    {
        if (_quiet != 0 && Generation() == _quiet)
        {
            return 0;
        }

        ulong newest = Generation();
        int result = ReadRoot(BtrfsKey.ExtentTree, out ulong committed, out _);
        if (result < 0)
        {
            return result;
        }

        _ = ReadRoot(_root, out _, out ulong lastSnapshot);
        LastSnapshot = lastSnapshot;
        _ = ReadInodeBytes();

        // Each commit writes the extent tree, so that its root is as new as the last one.
        _quiet = newest == committed ? newest : 0;
        return 0;
    }

    /// <summary>Whether no transaction ran at the last look, and none has begun since.</summary>
    public bool IsStill() => _quiet != 0 && Generation() == _quiet;

    /// <summary>
    /// Whether data may be delayed or on its way to disk in holes and preallocated extents of a range. Only for trees
    /// that stand still. The allocated bytes that stat(2) tells include new data from its write to the end of its ordered
    /// extent; the dirty and write-back pages are those over preallocated extents too.
    /// </summary>
    public bool MayHaveDelalloc(long from, long to) =>
        Sys.CacheStat(_descriptor, from, to - from, out CacheStatus pages) < 0 ||
        pages.Dirty + pages.Writeback > 0 ||
        Sys.Stat(_descriptor, out Statx status) < 0 ||
        status.Blocks != RoundUp(_inodeBytes, status.BlockSize) / 512;

    private static ulong RoundUp(ulong bytes, uint block) => block == 0 ? bytes : (bytes + block - 1) / block * block;

    private ulong Generation() => Sys.BtrfsGeneration(_descriptor, out ulong generation) < 0 ? 0 : generation;

    private int ReadRoot(ulong root, out ulong generation, out ulong lastSnapshot)
    {
        generation = 0;
        lastSnapshot = ulong.MaxValue;
        int result = search.TryFind(
            BtrfsKey.RootTree,
            new ItemKey(root, BtrfsKey.RootItem, 0),
            new ItemKey(root, BtrfsKey.RootItem, ulong.MaxValue),
            count: 1);
        if (result > 0 && search.Next(out _, out ReadOnlySpan<byte> item) &&
            !TreeItems.TryReadRoot(item, out generation, out lastSnapshot))
        {
            throw search.Malformed();
        }

        return result;
    }

    private int ReadInodeBytes()
    {
        _inodeBytes = 0;
        var key = new ItemKey(_inode, BtrfsKey.InodeItem, 0);
        int result = search.TryFind(0, key, key, count: 1);
        if (result > 0 && search.Next(out _, out ReadOnlySpan<byte> item) &&
            !TreeItems.TryReadInodeBytes(item, out _inodeBytes))
        {
            throw search.Malformed();
        }

        return result;
    }
}
