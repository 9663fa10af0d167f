using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>
/// Whether the trees are stable. Without a running transaction nothing in them changes between two calls, every reference is in the
/// extent tree, and every completed write is in the file's items.
/// </summary>
internal sealed class TreeState(TreeSearch search)
{
    private Descriptor _file;
    private ulong _root;
    private ulong _inode;
    private ulong _quiet;
    private ulong _inodeBytes;

    /// <summary>
    /// The transaction of the last snapshot of the file's subvolume: newer leaves belong to no snapshot (btrfs_root_last_snapshot
    /// in fs/btrfs/backref.c).
    /// </summary>
    public ulong LastSnapshot { get; private set; }

    public void Start(Descriptor file, ulong root, ulong inode)
    {
        _file = file;
        _root = root;
        _inode = inode;
        _quiet = 0;
    }

    /// <summary>Continues with another open file of the same subvolume.</summary>
    public void Use(Descriptor file) => _file = file;

    /// <summary>Checks whether a transaction is running. Fails if the trees cannot be read.</summary>
    public CallResult Look()
    {
        if (_quiet != 0 && Generation() == _quiet)
        {
            return CallResult.Success;
        }

        ulong newest = Generation();
        CallResult result = ReadRoot(BtrfsKey.ExtentTree, out ulong committed, out _);
        if (result.Failed)
        {
            return result;
        }

        _ = ReadRoot(_root, out _, out ulong lastSnapshot);
        LastSnapshot = lastSnapshot;
        _ = ReadInodeBytes();

        // Each commit writes the extent tree, so the generation of its root is that of the last commit.
        _quiet = newest == committed ? newest : 0;
        return CallResult.Success;
    }

    /// <summary>Whether no transaction was running at the last check, and none has started since.</summary>
    public bool IsStill() => _quiet != 0 && Generation() == _quiet;

    /// <summary>
    /// Whether holes and preallocated extents of a range may contain data that is delayed or under writeback. Only for stable
    /// trees. The allocated bytes reported by stat(2) include new data from its write to the end of its ordered extent; dirty pages
    /// and pages under writeback also include those over preallocated extents.
    /// </summary>
    public bool MayHaveDelalloc(long from, long to) =>
        Sys.CacheStat(_file, from, to - from, out CacheStatus pages).Failed ||
        pages.Dirty + pages.Writeback > 0 ||
        Sys.Stat(_file, out Statx status).Failed ||
        status.Blocks != RoundUp(_inodeBytes, status.BlockSize) / 512;

    private static ulong RoundUp(ulong bytes, uint block) => block == 0 ? bytes : (bytes + block - 1) / block * block;

    private ulong Generation() => Sys.BtrfsGeneration(_file, out ulong generation).Failed ? 0 : generation;

    private CallResult ReadRoot(ulong root, out ulong generation, out ulong lastSnapshot)
    {
        generation = 0;
        lastSnapshot = ulong.MaxValue;
        CallResult found = search.TryFind(
            BtrfsKey.RootTree,
            new ItemKey(root, BtrfsKey.RootItem, 0),
            new ItemKey(root, BtrfsKey.RootItem, ulong.MaxValue),
            count: 1);
        if (found.Value > 0 && search.Next(out _, out ReadOnlySpan<byte> item) &&
            !TreeItems.TryReadRoot(item, out generation, out lastSnapshot))
        {
            throw search.Malformed();
        }

        return found;
    }

    private CallResult ReadInodeBytes()
    {
        _inodeBytes = 0;
        var key = new ItemKey(_inode, BtrfsKey.InodeItem, 0);
        CallResult found = search.TryFind(0, key, key, count: 1);
        if (found.Value > 0 && search.Next(out _, out ReadOnlySpan<byte> item) &&
            !TreeItems.TryReadInodeBytes(item, out _inodeBytes))
        {
            throw search.Malformed();
        }

        return found;
    }
}
