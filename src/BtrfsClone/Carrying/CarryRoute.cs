using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>The route from one filesystem to another: their properties, and what has already been copied. Both are btrfs or xfs.</summary>
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

    /// <summary>The source filesystem.</summary>
    public CarrySource Source { get; }

    /// <summary>The destination's block size in bytes, to which cloned ranges have to be aligned.</summary>
    public long BlockSize { get; }

    /// <summary>Whether both are btrfs: compressed data could stay compressed.</summary>
    public bool AreBothBtrfs => Source.IsBtrfs && _destination.Id != Guid.Empty;

    /// <summary>Whether extents may be read and written in encoded form, as far as known.</summary>
    public bool MayEncode => _mayEncode && Source.MayReadTrees;

    /// <summary>
    /// The route from a file to its clone, or null if both are on one filesystem, or one of the filesystems is of another type.
    /// </summary>
    public static CarryRoute? Find(in FileClone file, DirectoryPair directory) =>
        CarrySource.TryIdentify(directory.Destination, directory.DestinationStatus, out (Guid, ulong) destination) &&
        !(CarrySource.TryIdentify(file.Source, file.Status, out (Guid, ulong) origin) && origin == destination) &&
        Sys.BlockSize(directory.Destination, out long blockSize).Succeeded && blockSize is >= 512 and <= 65536 &&
        CarrySource.Find(file.Source, file.Status) is { } source
            ? new CarryRoute(source, destination, blockSize)
            : null;

    /// <summary>Whether both have the same source and destination filesystem.</summary>
    public bool IsSameAs(CarryRoute? other) =>
        other is not null && Source.IsSameAs(other.Source) && _destination == other._destination;

    /// <summary>Rounds a length up to whole blocks of the destination.</summary>
    public long RoundUp(long bytes) => (bytes + BlockSize - 1) / BlockSize * BlockSize;

    /// <summary>Extents cannot be moved in encoded form after all.</summary>
    public void ForgoEncoding() => _mayEncode = false;

    /// <summary>The pools for files with or without checksums, which cannot share with each other.</summary>
    /// <param name="noCow">Whether the files are NOCOW.</param>
    /// <param name="sizeLimit">The maximum size of a file, in bytes.</param>
    /// <param name="workers">The maximum number of concurrent users.</param>
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
