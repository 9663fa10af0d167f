using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>
/// From one filesystem to another: what they are, and what of one is at the other already. Both are btrfs or xfs.
/// </summary>
internal sealed class CarryRoute : IDisposable
{
    private readonly (Guid Id, ulong Device) _destination;
    private readonly SharedPools?[] _pools = new SharedPools?[2];
    private volatile bool _mayEncode;

    private CarryRoute(CarrySource source, (Guid, ulong) destination, long blockSize)
    {
        (Source, _destination, BlockSize) = (source, destination, blockSize);
        _mayEncode = AreBothBtrfs;
    }

    /// <summary>Where it begins.</summary>
    public CarrySource Source { get; }

    /// <summary>The destination's block size in bytes, of which what is cloned there has to be multiples.</summary>
    public long BlockSize { get; }

    /// <summary>Whether both are btrfs: what is compressed could stay so.</summary>
    public bool AreBothBtrfs => Source.IsBtrfs && _destination.Id != Guid.Empty;

    /// <summary>Whether extents may be read and written as they are stored, as far as that was tried.</summary>
    public bool MayEncode => _mayEncode && Source.MayReadTrees;

    /// <summary>The way of a file to its clone, or null where that is none, or one of the filesystems is of another kind.</summary>
    public static CarryRoute? Find(in FileClone file, DirectoryPair directory) =>
        CarrySource.TryIdentify(directory.Destination, directory.DestinationStatus, out (Guid, ulong) destination) &&
        !(CarrySource.TryIdentify(file.Source, file.Status, out (Guid, ulong) origin) && origin == destination) &&
        Sys.BlockSize(directory.Destination, out long blockSize).Succeeded && blockSize is >= 512 and <= 65536 &&
        CarrySource.Find(file.Source, file.Status) is { } source
            ? new CarryRoute(source, destination, blockSize)
            : null;

    /// <summary>Whether both lead from one filesystem to one.</summary>
    public bool IsSameAs(CarryRoute? other) =>
        other is not null && Source.IsSameAs(other.Source) && _destination == other._destination;

    /// <summary>Bytes in whole blocks of the destination.</summary>
    public long RoundUp(long bytes) => (bytes + BlockSize - 1) / BlockSize * BlockSize;

    /// <summary>Extents cannot be moved as they are stored, after all.</summary>
    public void ForgoEncoding() => _mayEncode = false;

    /// <summary>
    /// What is there already for files with or without checksums, which cannot share with each other.
    /// </summary>
    /// <param name="noCow">Whether the files are NOCOW.</param>
    /// <param name="sizeLimit">No file may get larger than this, in bytes.</param>
    /// <param name="workers">How many may ask at once.</param>
    public SharedPools PoolsFor(bool noCow, ulong sizeLimit, int workers)
    {
        lock (_pools)
        {
            return _pools[noCow ? 1 : 0] ??=
                new SharedPools(workers == 1 ? 1 : SharedPools.Most, noCow, BlockSize, sizeLimit);
        }
    }

    public void Dispose()
    {
        foreach (SharedPools? pools in _pools)
        {
            pools?.Dispose();
        }

        _pools.AsSpan().Clear();
    }
}
