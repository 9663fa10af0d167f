using BtrfsClone.Cloning;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>
/// From one filesystem to another: what they are, and what of one is at the other already. Both are btrfs or xfs, which tell
/// by FIEMAP where data lies, on which other addresses than those of one device do not appear, and which never write in
/// place what is shared.
/// </summary>
internal sealed class CarryRoute : IDisposable
{
    private readonly (Guid Id, ulong Device) _source;
    private readonly (Guid Id, ulong Device) _destination;
    private readonly SharedPool?[] _pools = new SharedPool?[2];
    private readonly bool[] _arePoolsMade = new bool[2];
    private volatile bool _mayReadTrees;
    private volatile bool _mayEncode;

    private CarryRoute((Guid, ulong) source, (Guid, ulong) destination, long blockSize, Descriptor file, ulong inode)
    {
        (_source, _destination, BlockSize) = (source, destination, blockSize);
        _mayReadTrees = _source.Id != Guid.Empty && new ItemSource().Start(file, "", inode).Succeeded;
        _mayEncode = _mayReadTrees && _destination.Id != Guid.Empty;

        // What is new has its items in the extent tree then, and is old.
        _ = _mayReadTrees ? Sys.SyncFileSystem(file) : CallResult.Success;
        StartGeneration = _mayReadTrees && Sys.BtrfsGeneration(file, out ulong generation).Succeeded ? generation : 0;
        Start = StartGeneration == 0 ? RunStart.Take(file) : null;
    }

    /// <summary>The source's transaction when the run began; 0 where the age of extents cannot be found out.</summary>
    public ulong StartGeneration { get; }

    /// <summary>The time when the run began, where the age of extents cannot be found out.</summary>
    public RunStart? Start { get; }

    /// <summary>
    /// Whether what is there already has to be compared: a balance of btrfs moves extents, and changes no file's time.
    /// </summary>
    public bool MustCompare => StartGeneration == 0 && _source.Id != Guid.Empty;

    /// <summary>The destination's block size in bytes, of which what is cloned there has to be multiples.</summary>
    public long BlockSize { get; }

    /// <summary>Whether both are btrfs: what is compressed could stay so.</summary>
    public bool AreBothBtrfs => _source.Id != Guid.Empty && _destination.Id != Guid.Empty;

    /// <summary>Whether the source's trees may be read, as far as that was tried.</summary>
    public bool MayReadTrees => _mayReadTrees;

    /// <summary>Whether extents may be read and written as they are stored, as far as that was tried.</summary>
    public bool MayEncode => _mayEncode;

    /// <summary>The way of a file to its clone, or null where one of the filesystems is of another kind.</summary>
    public static CarryRoute? Find(in FileClone file, DirectoryPair directory) =>
        TryIdentify(file.Source, file.Status, out (Guid, ulong) source) &&
        TryIdentify(directory.Destination, directory.DestinationStatus, out (Guid, ulong) destination) &&
        Sys.BlockSize(directory.Destination, out long blockSize).Succeeded && blockSize is >= 512 and <= 65536
            ? new CarryRoute(source, destination, blockSize, file.Source, file.Status.Inode)
            : null;

    /// <summary>Whether both lead from one filesystem to one.</summary>
    public bool IsSameAs(CarryRoute? other) =>
        other is not null && _source == other._source && _destination == other._destination;

    /// <summary>Trees cannot be read after all.</summary>
    public void ForgoTrees() => _mayReadTrees = _mayEncode = false;

    /// <summary>Extents cannot be moved as they are stored, after all.</summary>
    public void ForgoEncoding() => _mayEncode = false;

    /// <summary>
    /// What is there already for files with or without checksums, which cannot share with each other; null where nothing can
    /// be shared.
    /// </summary>
    /// <param name="directory">A directory of the destination.</param>
    /// <param name="noCow">Whether the files are NOCOW.</param>
    /// <param name="sizeLimit">No file may get larger than this, in bytes.</param>
    public SharedPool? PoolFor(Descriptor directory, bool noCow, ulong sizeLimit)
    {
        int index = noCow ? 1 : 0;
        lock (_pools)
        {
            if (!_arePoolsMade[index])
            {
                _arePoolsMade[index] = true;
                _pools[index] = SharedPool.TryMake(directory, noCow, BlockSize, sizeLimit);
            }

            return _pools[index];
        }
    }

    public void Dispose()
    {
        foreach (SharedPool? pool in _pools)
        {
            pool?.Dispose();
        }

        _pools.AsSpan().Clear();
    }

    private static bool TryIdentify(Descriptor file, in Statx status, out (Guid Id, ulong Device) identity)
    {
        identity = (Guid.Empty, status.Device);
        if (Sys.FileSystemMagic(file, out long magic).Failed)
        {
            return false;
        }

        if (magic != Sys.BtrfsMagic)
        {
            return magic == Sys.XfsMagic;
        }

        bool isKnown = Sys.BtrfsFsid(file, out Guid id).Succeeded && id != Guid.Empty;
        identity = (id, 0);
        return isKnown;
    }
}
