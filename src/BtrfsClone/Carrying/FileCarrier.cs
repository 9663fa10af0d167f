using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using BtrfsClone.Cloning;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>Copies files to another filesystem, one after the other. There is one for each file that is being copied.</summary>
internal sealed class FileCarrier(CloneContext context, ConcurrentBag<FileCarrier> idle) : IDisposable
{
    private readonly PieceGroup _group = new(context);
    private readonly PoolFiller _filler = new(context);
    private readonly DeviceOrder _order = new();
    private readonly EncodedCopy _encoded = new();
    private readonly List<CarriedPiece> _ready = [];
    private CancellationToken _cancellation;
    private CarryRoute _route = null!;
    private WriteOutPace _pace;
    private CallResult _mapped;
    private long _size;
    private long _end; // The current size of the clone.
    private long _brought; // The bytes under writeback, and the total that had been started by then.
    private long _started;
    private bool _isFilled;

    /// <summary>Starts a file: finds its first file extents.</summary>
    public void Start(CarryRoute route, Descriptor directory, in FileClone file, CancellationToken cancellation)
    {
        (_route, _cancellation, _size) = (route, cancellation, (long)file.Status.Size);
        _pace = new WriteOutPace(file.Destination, context.WriteOut, cancellation);
        _end = 0;
        _isFilled = false;
        _mapped = _group.Start(route, directory, file);
    }

    /// <summary>
    /// Copies the first file extents to their pools, and starts their writeback, unless another thread is about to: then this is
    /// left to <see cref="Carry"/>. Failures are reported there too.
    /// </summary>
    /// <returns>The number of bytes under writeback.</returns>
    public long TryFill(in FileClone file)
    {
        _brought = 0;
        if (!_mapped.Failed && _group.Bits != 0 && _group.Pools!.TryTake(_group.Bits))
        {
            _isFilled = !FillTaken(file).Failed;
        }

        return _brought;
    }

    /// <inheritdoc cref="IContentCarrier.Carry"/>
    public Failure Carry(Descriptor directory, ref FileClone file, out bool isCarried)
    {
        isCarried = _mapped.Error is not (Errno.EOPNOTSUPP or Errno.ENOTTY);
        if (!isCarried)
        {
            return default;
        }

        // fallocate(2) would rewrite the last block of a file that has data, and write one if there is none.
        Failure failure = default;
        foreach ((long offset, long length) in _group.Beyond)
        {
            failure = failure.Failed ? failure : Preallocate(file.Destination, offset, length);
        }

        while (!failure.Failed && !_mapped.Failed && _group.Pieces.Length > 0)
        {
            failure = BringAll(ref file);
            _isFilled = false;
            _mapped = failure.Failed ? _mapped : _group.Next(directory, file);
        }

        return failure.Failed ? failure : _mapped.Failed ? Failure.Source(SystemCall.Fiemap, _mapped) : Finish(ref file);
    }

    /// <summary>Makes it available for another file.</summary>
    public void Dispose() => idle.Add(this);

    /// <summary>Copies to the pools what the file extents need there, and releases the extents for other threads.</summary>
    private Failure FillTaken(in FileClone file)
    {
        try
        {
            _ready.Clear();
            _order.ReadAhead(_route, file.Source, _group.Pieces);
            return _filler.Fill(_route, file, _group.Pieces, _ready, _group.Map, _cancellation);
        }
        finally
        {
            _started = context.WriteOut.Started;
            _brought = 0;
            foreach (ref readonly CarriedPiece piece in CollectionsMarshal.AsSpan(_ready))
            {
                _brought += piece.Brought;
            }

            _group.Pools!.Release(_group.Bits);
        }
    }

    private Failure BringAll(ref FileClone file)
    {
        Failure failure = default;
        if (!_isFilled && _group.Bits != 0)
        {
            _group.Pools!.Take(_group.Bits);
            failure = FillTaken(file);
        }
        else if (!_isFilled)
        {
            _ready.Clear();
            _ready.AddRange(_group.Pieces);
            _order.ReadAhead(_route, file.Source, _group.Pieces);
        }

        foreach (ref readonly CarriedPiece piece in CollectionsMarshal.AsSpan(_ready))
        {
            failure = failure.Failed ? failure
                : _cancellation.IsCancellationRequested ? Failure.Cancelled
                : Bring(ref file, piece);
        }

        context.WriteOut.Reach(failure.Failed || _brought == 0 ? 0 : _started);
        _brought = 0;
        return failure;
    }

    private Failure Bring(ref FileClone file, in CarriedPiece piece)
    {
        bool isReserved = piece.Extent.Kind == ExtentKind.Prealloc;
        if (piece.IsPooled)
        {
            // The kernel waits for it too, and for everything at once.
            WriteOutPace.Wait(piece.Pool!.Data, piece.Place, piece.Place + piece.Length, _cancellation);
            if (_cancellation.IsCancellationRequested)
            {
                return Failure.Cancelled;
            }

            CallResult result = piece.Pool.Share(piece.Place, piece.Length, file.Destination, piece.Extent.Offset);
            if (result.Succeeded)
            {
                _end = piece.Extent.Offset + _route.RoundUp(piece.Length);
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
            return Preallocate(file.Destination, piece.Extent.Offset, _route.RoundUp(piece.Length));
        }

        if (piece.IsEncoded && _route.MayEncode)
        {
            Failure failure = _encoded.Move(_route, file.Source, piece, file.Destination, out bool isMoved);
            if (failure.Failed || isMoved)
            {
                _end = piece.Extent.Offset + piece.Length;
                Count(ref file, isMoved ? piece.Length : 0);
                context.Counters.AddPadding(isMoved ? _route.RoundUp(piece.Length) - piece.Length : 0);
                return failure;
            }
        }

        return Copy(ref file, piece);
    }

    /// <summary>Copies the bytes of a file extent, as far as the file still has them, to an extent of their own.</summary>
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
            context.Counters.AddPadding(_route.RoundUp(piece.Length) - piece.Length);
            _pace.Start();
        }

        return default;
    }

    private void Count(ref FileClone file, long copied)
    {
        file.CopiedLength += copied;
        context.Counters.AddCopied(copied);
    }

    /// <summary>Copies what was added to the file after it was mapped, and sets its size.</summary>
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

        var copy = new ByteCopy(file.Source, file.Destination, context, _cancellation)
        {
            Position = Math.Min(_size, size),
            KeepsBeyond = _group.Beyond.Count > 0,
        };
        Failure failure = copy.Run(size, out long length);
        file.CopiedLength += copy.Copied;
        file.Status.Size = (ulong)length;
        return failure;
    }

    /// <summary>Failing to preallocate space, because it is unsupported or full, loses no data.</summary>
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
}
