using System.Runtime.InteropServices;
using BtrfsClone.Cloning;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>Brings one file after the other to another filesystem. Each worker has one.</summary>
internal sealed class FileCarrier(CloneContext context)
{
    // Pieces that are looked up, brought and verified together; others wait meanwhile.
    private const int MostPieces = 256;
    private const long MostBytes = 128L << 20;

    private readonly SourceMap _map = new();
    private readonly PoolFiller _filler = new(context);
    private readonly EncodedCopy _encoded = new();
    private readonly List<CarriedPiece> _ready = [];
    private readonly CarriedPiece[] _pieces = new CarriedPiece[MostPieces + 1];
    private readonly List<(long Offset, long Length)> _beyond = [];
    private CancellationToken _cancellation;
    private CarryRoute _route = null!;
    private SharedPool? _pool;
    private WriteOutPace _pace;
    private long _size;
    private long _end; // The size that the clone has, so far.
    private int _count;
    private bool _mayHavePool;

    /// <inheritdoc cref="IContentCarrier.Carry"/>
    public Failure Carry(
        CarryRoute route, Descriptor directory, ref FileClone file, CancellationToken cancellation, out bool isCarried)
    {
        (_route, _cancellation, _size) = (route, cancellation, (long)file.Status.Size);
        _pace = new WriteOutPace(file.Destination, cancellation);
        _beyond.Clear();
        _pool = null;
        _mayHavePool = true;
        _count = 0;
        _end = 0;
        _map.Start(route.Source, file.Source, file.Status);
        CallResult result = _map.FindReserved(RoundUp(_size), _beyond);
        isCarried = result.Error is not (Errno.EOPNOTSUPP or Errno.ENOTTY);
        if (result.Failed)
        {
            return isCarried ? Failure.Source(SystemCall.Fiemap, result) : default;
        }

        // fallocate(2) would rewrite the last block of a file that has data, and write one where there is none.
        Failure failure = default;
        foreach ((long offset, long length) in _beyond)
        {
            failure = failure.Failed ? failure : Preallocate(file.Destination, offset, length);
        }

        return failure.Failed ? failure : CarryPieces(directory, ref file);
    }

    private Failure CarryPieces(Descriptor directory, ref FileClone file)
    {
        long bytes = 0;
        while (true)
        {
            CallResult result = _map.Next(out FileExtent piece, out bool isMore);
            if (result.Failed)
            {
                return Failure.Source(SystemCall.Fiemap, result);
            }

            if (_count > 0 && (!isMore || _count >= MostPieces || bytes + piece.Length > MostBytes))
            {
                Failure failure = BringAll(ref file);
                if (failure.Failed)
                {
                    return failure;
                }

                bytes = 0;
            }

            if (!isMore)
            {
                return Finish(ref file);
            }

            bytes += piece.Length;
            Add(directory, file, piece);
        }
    }

    private void Add(Descriptor directory, in FileClone file, in FileExtent extent)
    {
        if (extent.Offset >= _size)
        {
            return;
        }

        CarriedPiece piece = new() { Extent = extent, Length = Math.Min(extent.End, _size) - extent.Offset, Place = -1 };
        if (extent.IsShared == true && extent.Kind is ExtentKind.Data or ExtentKind.Prealloc && PoolOf(directory, file) is not null)
        {
            // xfs never shares what is not written.
            long place = extent.Kind == ExtentKind.Prealloc
                ? _route.AreBothBtrfs ? SharedPool.ReservedPlaceOf(extent.RawPhysicalOffset) : -1
                : extent.Compression == ExtentCompression.None ? SharedPool.PlaceOf(extent.RawPhysicalOffset)
                : piece.IsEncoded ? SharedPool.PlaceOf(extent.RawDiskOffset, extent.RawExtentOffset)
                : -1;
            bool fits = extent.Offset % _route.BlockSize == 0 && place % _route.BlockSize == 0 &&
                (extent.End >= _size || extent.Length % _route.BlockSize == 0);
            piece.Place = fits ? place : -1;
        }

        // A block that the file ends in comes whole, and what is too much is cut off: that would free what is beyond.
        long body = piece.Length / _route.BlockSize * _route.BlockSize;
        if (piece.IsPooled && _beyond.Count > 0 && body < piece.Length)
        {
            if (body > 0)
            {
                _pieces[_count++] = piece.Part(0, body);
            }

            piece = piece.Part(body, piece.Length);
            piece.Place = -1;
        }

        _pieces[_count++] = piece;
    }

    private SharedPool? PoolOf(Descriptor directory, in FileClone file)
    {
        if (_mayHavePool)
        {
            _mayHavePool = false;
            _pool = _route.PoolFor(directory, file.Flags.HasFlag(InodeFlags.NoCow), context.FileSizeLimit);
        }

        return _pool;
    }

    private Failure BringAll(ref FileClone file)
    {
        ReadOnlySpan<CarriedPiece> pieces = _pieces.AsSpan(0, _count);
        _count = 0;
        _ready.Clear();
        Failure failure = default;
        if (_pool is null)
        {
            _ready.AddRange(pieces);
        }
        else
        {
            failure = _filler.Fill(_route, _pool, file.Source, pieces, _ready, _map, _cancellation);
        }

        foreach (ref readonly CarriedPiece piece in CollectionsMarshal.AsSpan(_ready))
        {
            failure = failure.Failed ? failure
                : _cancellation.IsCancellationRequested ? Failure.Cancelled
                : Bring(ref file, piece);
        }

        return failure;
    }

    private Failure Bring(ref FileClone file, in CarriedPiece piece)
    {
        bool isReserved = piece.Extent.Kind == ExtentKind.Prealloc;
        if (piece.IsPooled)
        {
            // The kernel waits for it, too, and all at once.
            WriteOutPace.Wait(_pool!.Data, piece.Place, piece.Place + piece.Length, _cancellation);
            if (_cancellation.IsCancellationRequested)
            {
                return Failure.Cancelled;
            }

            CallResult result = _pool.Share(piece.Place, piece.Length, file.Destination, piece.Extent.Offset);
            if (result.Succeeded)
            {
                _end = piece.Extent.Offset + RoundUp(piece.Length);
                file.SharedLength += isReserved ? 0 : piece.Length - piece.Brought;
                return default;
            }

            if (result.Error is not (Errno.EINVAL or Errno.EXDEV or Errno.EOPNOTSUPP or Errno.ENOTTY))
            {
                return Failure.Destination(SystemCall.FiCloneRange, result);
            }
        }

        if (isReserved)
        {
            return Preallocate(file.Destination, piece.Extent.Offset, RoundUp(piece.Length));
        }

        if (piece.IsEncoded && _route.MayEncode)
        {
            Failure failure = _encoded.Move(_route, file.Source, piece, file.Destination, out bool isMoved);
            if (failure.Failed || isMoved)
            {
                _end = piece.Extent.Offset + piece.Length;
                Count(ref file, isMoved ? piece.Length : 0);
                return failure;
            }
        }

        return Copy(ref file, piece);
    }

    /// <summary>Copies a piece's bytes, as far as the file still has them, to an extent of their own.</summary>
    private Failure Copy(ref FileClone file, in CarriedPiece piece)
    {
        long position = piece.Extent.Offset;
        long end = position + piece.Length;
        while (position < end)
        {
            if (_cancellation.IsCancellationRequested)
            {
                return Failure.Cancelled;
            }

            Failure failure = KernelCopy.Copy(file.Source, position, file.Destination, position, end - position, out long copied);
            if (failure.Failed || copied == 0)
            {
                return failure;
            }

            _pace.Wrote(position, copied);
            _end = position += copied;
            Count(ref file, copied);
        }

        if (_route.AreBothBtrfs && piece.Extent.Compression != ExtentCompression.None && piece.Extent.Kind == ExtentKind.Data)
        {
            file.UnpackedLength += piece.Length;
        }

        if (piece.Extent.Kind == ExtentKind.Data)
        {
            _pace.Start();
        }

        return default;
    }

    private void Count(ref FileClone file, long copied)
    {
        file.CopiedLength += copied;
        context.Counters.AddCopied(copied);
    }

    /// <summary>Copies what the file got after it was mapped, and gives it its size.</summary>
    private Failure Finish(ref FileClone file)
    {
        CallResult result = Sys.Stat(file.Source, out Statx now);
        if (result.Failed)
        {
            return Failure.Source(SystemCall.Statx, result);
        }

        long size = (long)now.Size;
        if (size == _size)
        {
            result = size == _end ? result : Sys.Truncate(file.Destination, size);
            return result.Failed ? Failure.Destination(SystemCall.Ftruncate, result) : default;
        }

        var copy = new ByteCopy(file.Source, file.Destination, context.Counters, _cancellation)
        {
            Position = Math.Min(_size, size),
            KeepsBeyond = _beyond.Count > 0,
        };
        Failure failure = copy.Run(size, out long length);
        file.CopiedLength += copy.Copied;
        file.Status.Size = (ulong)length;
        return failure;
    }

    /// <summary>Room that the filesystem cannot set aside, or has not, costs none of the data.</summary>
    private Failure Preallocate(Descriptor file, long offset, long length)
    {
        CallResult result = Sys.Preallocate(file, offset, length);
        if (result.Error is Errno.EOPNOTSUPP or Errno.ENODEV or Errno.ENOSPC or Errno.EDQUOT or Errno.EFBIG)
        {
            context.Losses.Add(MetadataKind.Preallocation, "fallocate");
            return default;
        }

        return result.Failed ? Failure.Destination(SystemCall.Fallocate, result) : default;
    }

    private long RoundUp(long bytes) => (bytes + _route.BlockSize - 1) / _route.BlockSize * _route.BlockSize;
}
