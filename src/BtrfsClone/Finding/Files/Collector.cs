using System.Text;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>Collects the files below the given items of one filesystem, and their file extents.</summary>
internal sealed class Collector : IDisposable
{
    private readonly FindContext _context;
    private readonly IReadOnlyList<SearchRoot> _roots;
    private readonly Collection _collection;
    private readonly ReferenceCounts? _references;

    /// <exception cref="BtrfsException">The filesystem cannot be searched in the requested way.</exception>
    public Collector(FindContext context, IReadOnlyList<SearchRoot> roots)
    {
        (_context, _roots) = (context, roots);
        bool byTree = MayReadTrees();
        Facts = byTree ? ReadFacts() : null;
        _collection = new Collection(context.Memory, (int)(Facts?.SectorSize ?? ReadBlockSize()), context.Options.MinimumLength);
        _references = byTree ? new ReferenceCounts(Descriptor, Path) : null;
        Trees = new FoundTrees(roots[0].IsBtrfs, byTree);
    }

    public FoundTrees Trees { get; }

    /// <summary>Detects whether a file has changed since it was collected.</summary>
    public FreshFiles Fresh { get; private set; } = null!;

    public FileTable Files => _collection.Files;

    public Sorter<Piece> Pieces => _collection.Pieces;

    public int BlockSize => _collection.BlockSize;

    /// <summary>Any file on the filesystem.</summary>
    public Descriptor Descriptor => _roots[0].Descriptor;

    public string Path => _roots[0].Path;

    /// <summary>The filesystem's sizes and checksum type; null if its trees may not be read.</summary>
    public BtrfsFileSystemFacts? Facts { get; }

    /// <summary>Returns the reference count of an extent; must be called in the order of addresses. Null if it cannot be read.</summary>
    public Func<long, ulong>? References => _references is null ? null : _references.Of;

    /// <summary>The number of blocks of all file extents, as an estimate of the remaining work.</summary>
    public long Work => _collection.Blocks;

    /// <summary>Collects all files.</summary>
    public void Collect()
    {
        // Delayed data has no disk address yet.
        CallResult result = Sys.SyncFileSystem(Descriptor);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.SyncFs, Path);
        }

        Fresh = new FreshFiles(Trees, Descriptor);
        using var wanted = new WantedFiles(Trees, Files, _context) { WithSizes = !Trees.ByTree };
        foreach (SearchRoot root in _roots)
        {
            Walk(root, wanted);
        }

        TellMounts();
        using var distinct = new DistinctFiles(wanted.Files);
        if (Trees.ByTree)
        {
            ReadTrees(distinct);
        }
        else
        {
            new MapScan(_collection, Trees, _context, distinct, LoneBySize(wanted.Files)).Run();
        }

        _context.Progress.SetFiles(Files.Count);
    }

    public void Dispose()
    {
        _collection.Dispose();
        Trees.Dispose();
    }

    private void Walk(SearchRoot root, WantedFiles wanted)
    {
        byte[] path = Utf8Z.From(root.Path)[..^1];
        if (root.IsDirectory && wanted.TakesWhole(root.Status))
        {
            Trees.AddWhole(root.Descriptor, path);
            return;
        }

        FoundTree tree = Trees.Of(root.Descriptor, path);
        long name = wanted.AddTop(root.Path);
        if (!root.IsDirectory)
        {
            wanted.Add(tree.Number, root.Status, name);
            return;
        }

        CallResult result = Sys.Duplicate(root.Descriptor, out Descriptor descriptor);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.Fcntl, root.Path);
        }

        using var buffer = new ListingBuffer();
        var top = new FoundDirectory(root.Path, descriptor, root.Status, tree.Number, name);
        new WantedWalk(wanted, _context, top).Run(buffer);
        _context.Pump();
    }

    /// <summary>A subvolume that is read from its tree is not walked, so mounts in it have to be found separately.</summary>
    private void TellMounts()
    {
        List<Mount> mounts = MountTable.Read() ?? [];
        Mount own = mounts.Find(mount => mount.Id == _roots[0].Status.MountId);
        mounts.RemoveAll(mount => own.Device is null || mount.Device == own.Device);
        List<string> told = [];
        foreach (FoundTree tree in Trees.All.Where(tree => tree.IsWhole))
        {
            string top = Encoding.Latin1.GetString(RealPath.Of(tree.Descriptor)).TrimEnd('/') + "/";
            foreach (string point in mounts.Select(mount => mount.Point).Order(StringComparer.Ordinal))
            {
                if (point.StartsWith(top, StringComparison.Ordinal) &&
                    !told.Exists(above => $"{point}/".StartsWith($"{above}/", StringComparison.Ordinal)))
                {
                    told.Add(point);
                    _context.TellPassedOver(Utf8Z.ToText(Encoding.Latin1.GetBytes(point)));
                }
            }
        }
    }

    /// <summary>When searching for whole files: those that need not even be opened, since no other one has the same size.</summary>
    private FileMarks LoneBySize(Sorter<WantedFile> found)
    {
        if (!_context.Options.FileOnly)
        {
            return new FileMarks();
        }

        using var wanted = new DistinctFiles(found);
        return LikeFiles.LoneBySize(wanted, _context.Memory);
    }

    private void ReadTrees(DistinctFiles wanted)
    {
        var scan = new SubvolumeScan(_collection, _context.Report, () =>
        {
            _context.Progress.SetFiles(Files.Count);
            _context.Pump();
        });
        foreach (FoundTree tree in Trees.All)
        {
            if (tree.IsWhole)
            {
                scan.ReadAll(tree);
            }
        }

        scan.Read(Trees, wanted);
    }

    private bool MayReadTrees()
    {
        bool isWanted = _context.Options.Source == DuplicateSource.Checksum;
        if (!_roots[0].IsBtrfs)
        {
            return isWanted ? throw new BtrfsException(BtrfsError.NotBtrfs, Path) : false;
        }

        var search = new TreeSearch();
        search.Start(Descriptor, Path);
        var key = new ItemKey(BtrfsKey.ExtentTree, BtrfsKey.RootItem, 0);
        CallResult result = search.TryFind(BtrfsKey.RootTree, key, key, count: 1);
        return result.Succeeded || (!isWanted && result.Error is Errno.EPERM or Errno.EACCES
            ? false
            : throw BtrfsException.FromErrno(result.Error, SystemCall.TreeSearch, Path));
    }

    private BtrfsFileSystemFacts ReadFacts()
    {
        CallResult result = Sys.BtrfsFacts(Descriptor, out BtrfsFileSystemFacts facts);
        return result.Succeeded ? facts : throw BtrfsException.FromErrno(result.Error, SystemCall.FsInfo, Path);
    }

    private long ReadBlockSize()
    {
        CallResult result = Sys.BlockSize(Descriptor, out long size);
        return result.Succeeded ? size : throw BtrfsException.FromErrno(result.Error, SystemCall.Fstatfs, Path);
    }
}
