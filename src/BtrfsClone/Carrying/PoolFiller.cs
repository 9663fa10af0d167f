using System.Buffers;
using System.Runtime.InteropServices;
using BtrfsClone.Cloning;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>Copies to a <see cref="SharedPool"/> what file extents need and is not there yet.</summary>
internal sealed class PoolFiller(CloneContext context)
{
    private readonly EncodedCopy _encoded = new();
    private readonly ExtentAges _ages = new();
    private const int Compared = 64 << 10;

    private readonly List<(SharedPool Pool, long Place, long Length)> _brought = [];
    private CarryRoute _route = null!;
    private Descriptor _source;
    private CancellationToken _cancellation;

    /// <summary>
    /// Makes sure that the data of file extents with a position in a pool is there. If this is not possible, they are returned
    /// without a position: their bytes have to be copied to the file.
    /// </summary>
    /// <param name="route">The route.</param>
    /// <param name="file">The file.</param>
    /// <param name="pieces">File extents of it, in order. Those with a position are taken.</param>
    /// <param name="result">The same, split where only a part is there.</param>
    /// <param name="map">Its map.</param>
    /// <param name="cancellation">Cancels the operation.</param>
    public Failure Fill(
        CarryRoute route, in FileClone file, ReadOnlySpan<CarriedPiece> pieces, List<CarriedPiece> result,
        SourceMap map, CancellationToken cancellation)
    {
        (_route, _source, _cancellation) = (route, file.Source, cancellation);
        _brought.Clear();

        // The flags are the clone's, which need not be the source's.
        bool isNoCow = file.Flags.HasFlag(InodeFlags.NoCow) || (context.Storage.Inherited.HasFlag(InodeFlags.NoCow) &&
            (Sys.GetFlags(file.Source, out InodeFlags flags).Failed || flags.HasFlag(InodeFlags.NoCow)));
        _ages.Start(route.Source, file.Source, map, isNoCow);
        Failure failure = default;
        for (int i = 0; i < pieces.Length && !failure.Failed; i++)
        {
            CarriedPiece piece = pieces[i];
            piece.Place = piece.IsPooled && _ages.IsOld(piece.Extent) ? piece.Place : -1;
            failure = Fill(piece, result);
        }

        if (_brought.Count > 0 && (failure.Failed || !map.AreStill(pieces)))
        {
            // What was read may be newer than what is on disk at that address.
            foreach ((SharedPool pool, long place, long length) in _brought)
            {
                pool.Unmark(place, length);
            }

            foreach (ref CarriedPiece piece in CollectionsMarshal.AsSpan(result))
            {
                piece.Place = -1;
            }
        }

        return failure;
    }

    private Failure Fill(CarriedPiece piece, List<CarriedPiece> result)
    {
        while (piece.IsPooled)
        {
            long length = Look(piece, out bool isThere, out long brought, out Failure failure);
            if (failure.Failed)
            {
                return failure;
            }

            CarriedPiece part = piece.Part(0, length);
            part.Place = isThere ? part.Place : -1;
            part.Brought = brought;
            result.Add(part);
            if (length == piece.Length)
            {
                return default;
            }

            piece = piece.Part(length, piece.Length);
        }

        result.Add(piece);
        return default;
    }

    /// <summary>Copies the first part of a file extent, unless it is there. Returns the length of the part with a uniform state.</summary>
    private long Look(in CarriedPiece piece, out bool isThere, out long brought, out Failure failure)
    {
        long length = piece.Pool!.Look(piece.Place, piece.Length, out PoolState state);
        failure = default;
        brought = 0;
        isThere = state == PoolState.There && (!_route.Source.MustCompare || IsSame(piece.Part(0, length)));
        if (state == PoolState.Missing)
        {
            if (piece.IsEncoded && _route.MayEncode)
            {
                failure = BringWhole(piece, out isThere);
            }

            if (!failure.Failed && !isThere)
            {
                failure = Bring(piece.Part(0, length), out isThere);
            }

            brought = isThere ? length : 0;
            context.Counters.AddPadding(_route.RoundUp(brought) - brought);
        }

        return length;
    }

    /// <summary>Whether the pool contains what the file contains. It need not be exact: the file may change in the meantime.</summary>
    private bool IsSame(in CarriedPiece piece)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(2 * Compared);
        bool isSame = true;
        for (long done = 0; isSame && done < piece.Length; done += Compared)
        {
            int length = (int)Math.Min(piece.Length - done, Compared);
            Span<byte> here = buffer.AsSpan(0, length);
            Span<byte> there = buffer.AsSpan(Compared, length);
            isSame = !_cancellation.IsCancellationRequested &&
                Sys.ReadAt(_source, here, piece.Extent.Offset + done).Value == length &&
                Sys.ReadAt(piece.Pool!.Data, there, piece.Place + done).Value == length && here.SequenceEqual(there);
        }

        ArrayPool<byte>.Shared.Return(buffer);
        return isSame;
    }

    /// <summary>Copies the whole compressed extent that a file extent refers to, if nothing of it is there.</summary>
    private Failure BringWhole(in CarriedPiece piece, out bool isBrought)
    {
        SharedPool pool = piece.Pool!;
        long begin = piece.Place - piece.Extent.RawExtentOffset;
        long length = piece.Extent.RawRamLength;
        isBrought = false;
        if (length % _route.BlockSize != 0 || pool.Look(begin, length, out PoolState state) < length || state != PoolState.Missing)
        {
            return default;
        }

        Failure failure = _encoded.MoveWhole(_route, _source, piece, pool.Data, begin, out isBrought);
        isBrought = isBrought && Keep(pool, begin, length);
        context.Counters.AddCopied(isBrought ? piece.Length : 0);
        return failure;
    }

    private Failure Bring(in CarriedPiece piece, out bool isBrought)
    {
        SharedPool pool = piece.Pool!;
        isBrought = false;
        if (piece.Extent.Kind == ExtentKind.Prealloc)
        {
            // If this fails, it may succeed in the file; and if not, no data is lost.
            isBrought = Sys.Preallocate(pool.Data, piece.Place, _route.RoundUp(piece.Length)).Succeeded &&
                Keep(pool, piece.Place, piece.Length);
            return default;
        }

        var pace = new WriteOutPace(pool.Data, context.WriteOut, _cancellation);
        for (long done = 0; done < piece.Length;)
        {
            if (_cancellation.IsCancellationRequested)
            {
                return Failure.Cancelled;
            }

            Failure failure = KernelCopy.Copy(
                _source, piece.Extent.Offset + done, pool.Data, piece.Place + done, piece.Length - done, out long copied);
            if (failure.Failed || copied == 0)
            {
                return failure;
            }

            pace.Wrote(piece.Place + done, copied);
            done += copied;
            context.Counters.AddCopied(copied);
        }

        // Makes it an extent of its own, regardless of what is written next to it.
        pace.Start();
        isBrought = Keep(pool, piece.Place, piece.Length);
        return default;
    }

    private bool Keep(SharedPool pool, long place, long length)
    {
        _brought.Add((pool, place, length));
        return pool.Mark(place, length);
    }
}
