using BtrfsClone.Cloning;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>
/// The file extents of a file that are looked up, copied and verified together, one group after the other; and their positions in a
/// pool.
/// </summary>
internal sealed class PieceGroup(CloneContext context)
{
    private const int MostPieces = 256;
    private const long MostBytes = 128L << 20;

    private readonly CarriedPiece[] _pieces = new CarriedPiece[MostPieces + 1];
    private CarryRoute _route = null!;
    private FileExtent _next;
    private long _size;
    private int _count;
    private bool _hasNext;
    private bool _isAtEnd;

    /// <summary>The file's map.</summary>
    public SourceMap Map { get; } = new();

    /// <summary>The space preallocated beyond the end of the file.</summary>
    public List<(long Offset, long Length)> Beyond { get; } = [];

    /// <summary>The file extents of the group, in file order.</summary>
    public ReadOnlySpan<CarriedPiece> Pieces => _pieces.AsSpan(0, _count);

    /// <summary>The pools that contain the positions of these file extents, if any.</summary>
    public SharedPools? Pools { get; private set; }

    /// <summary>The lock bits of their extents; 0 if no file extent has a position in a pool.</summary>
    public ulong Bits { get; private set; }

    /// <summary>Starts a file. The first group is then available.</summary>
    /// <param name="route">Its route.</param>
    /// <param name="directory">A directory of the destination.</param>
    /// <param name="file">The file.</param>
    public CallResult Start(CarryRoute route, Descriptor directory, in FileClone file)
    {
        (_route, _size) = (route, (long)file.Status.Size);
        Pools = null;
        Beyond.Clear();
        _hasNext = _isAtEnd = false;
        Map.Start(route.Source, file.Source, file.Status);
        CallResult result = Map.FindReserved(route.RoundUp(_size), Beyond);
        return result.Failed ? result : Next(directory, file);
    }

    /// <summary>Takes the next file extents as a group; none at the end of the file.</summary>
    /// <param name="directory">A directory of the destination.</param>
    /// <param name="file">The file.</param>
    public CallResult Next(Descriptor directory, in FileClone file)
    {
        _count = 0;
        Bits = 0;
        long bytes = 0;
        while (true)
        {
            if (!_hasNext && !_isAtEnd)
            {
                CallResult result = Map.Next(out _next, out _hasNext);
                _isAtEnd = !_hasNext;
                if (result.Failed)
                {
                    return result;
                }
            }

            if (_isAtEnd || _count >= MostPieces || (_count > 0 && bytes + _next.Length > MostBytes))
            {
                return CallResult.Success;
            }

            bytes += _next.Length;
            Add(directory, file, _next);
            _hasNext = false;
        }
    }

    private void Add(Descriptor directory, in FileClone file, in FileExtent extent)
    {
        if (extent.Offset >= _size)
        {
            return;
        }

        CarriedPiece piece = new() { Extent = extent, Length = Math.Min(extent.End, _size) - extent.Offset, Place = -1 };
        if (extent.IsShared == true && extent.Kind is ExtentKind.Data or ExtentKind.Prealloc)
        {
            // xfs never shares unwritten extents.
            long place = extent.Kind == ExtentKind.Prealloc
                ? _route.AreBothBtrfs ? SharedPool.ReservedPlaceOf(extent.RawPhysicalOffset) : -1
                : extent.Compression == ExtentCompression.None ? SharedPool.PlaceOf(extent.RawPhysicalOffset)
                : piece.IsEncoded ? SharedPool.PlaceOf(extent.RawDiskOffset, extent.RawExtentOffset)
                : -1;
            bool fits = place >= 0 && extent.Offset % _route.BlockSize == 0 && place % _route.BlockSize == 0 &&
                (extent.End >= _size || extent.Length % _route.BlockSize == 0);
            Pools ??= _route.PoolsFor(
                file.Flags.HasFlag(InodeFlags.NoCow), context.FileSizeLimit, context.Descriptors.Workers);
            piece.Pool = fits ? Pools.Of(extent, directory) : null;
            piece.Place = piece.Pool is null ? -1 : place;
        }

        // A block in which the file ends is shared as a whole, and the excess is truncated: this would free what is beyond.
        long body = piece.Length / _route.BlockSize * _route.BlockSize;
        if (piece.IsPooled && Beyond.Count > 0 && body < piece.Length)
        {
            if (body > 0)
            {
                _pieces[_count++] = piece.Part(0, body);
                Bits |= SharedPools.BitOf(extent);
            }

            piece = piece.Part(body, piece.Length);
            piece.Place = -1;
        }

        Bits |= piece.IsPooled ? SharedPools.BitOf(extent) : 0;
        _pieces[_count++] = piece;
    }
}
