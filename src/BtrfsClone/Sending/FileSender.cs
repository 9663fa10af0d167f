using System.Runtime.InteropServices;
using BtrfsClone.Carrying;
using BtrfsClone.Cloning;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Sending;

/// <summary>
/// Sends the content of files, one file extent after the other: data that is already in the stream as a clone of that, everything
/// else in encoded form, or as bytes.
/// </summary>
/// <remarks>
/// Shared data is recognized by its disk address. An address is recorded if the file, flushed and mapped again, still has it after
/// it was read, and if it has belonged to the same extent since the session started; see <see cref="CarrySource"/>.
/// </remarks>
internal sealed class FileSender(SendContext context)
{
    // The number of file extents that are verified together.
    private const int MostPieces = 256;
    private const long MostBytes = 128L << 20;

    // Whatever the receiver's page size is, its blocks have this size unless another one was requested.
    private const long BlockSize = 4096;

    private readonly SourceMap _map = new();
    private readonly ExtentAges _ages = new();
    private readonly ContentSender _content = new(context);
    private readonly SentComparer _comparer = new(context.Sent);
    private readonly List<(long Offset, long Length)> _beyond = [];
    private readonly List<(long Offset, long Length)> _batch = [];
    private readonly List<CarriedPiece> _kept = [];
    private SendSource _source = null!;
    private SendPath _path = null!;
    private Descriptor _file;
    private Statx _status;
    private long _size;
    private int _number; // Its number among the files that others may share with, or -1.
    private bool _hasAge;

    /// <summary>Whether the last file was truncated while it was sent, and is in the stream up to that length.</summary>
    public bool HasShrunk => _content.HasShrunk;

    /// <summary>
    /// Sends a file's content. The status then contains the size of the file in the stream; after a failure, the file must be
    /// removed from it.
    /// </summary>
    public Failure Send(SendSource source, Descriptor file, SendPath path, ref Statx status)
    {
        (_source, _path, _file, _status, _size) = (source, path, file, status, (long)status.Size);
        _number = -1;
        _hasAge = false;
        _beyond.Clear();
        _content.Start(file, path);
        Failure failure = source.Carry is null ? SendRegions() : SendPieces();
        if (failure.Failed)
        {
            return failure;
        }

        long size = _content.HasShrunk ? _content.Size : _size;
        _content.Finish(size);
        status.Size = (ulong)size;
        if (_number >= 0)
        {
            context.Sent[_number].Size = size;
        }

        return default;
    }

    /// <summary>The last file is removed from the stream: nothing can be cloned from it.</summary>
    public void Withdraw()
    {
        if (_number >= 0)
        {
            context.Sent[_number].Size = -1;
        }
    }

    /// <summary>Sends what the filesystem does not report as holes, if it reports nothing else.</summary>
    private Failure SendRegions()
    {
        for (long position = 0; position < _size && !_content.HasShrunk;)
        {
            CallResult data = Sys.SeekData(_file, position);
            if (data.Is(Errno.ENXIO))
            {
                break;
            }

            long begin = data.Failed ? position : data.Value;
            CallResult hole = Sys.SeekHole(_file, begin);
            long end = Math.Min(hole.Value > begin ? hole.Value : _size, _size);
            Failure failure = _content.SendBytes(begin, Math.Max(end - begin, 0));
            if (failure.Failed)
            {
                return failure;
            }

            position = Math.Max(end, begin + 1);
        }

        return default;
    }

    private Failure SendPieces()
    {
        _batch.Clear();
        _kept.Clear();
        _map.Start(_source.Carry!, _file, _status);
        CallResult result = _map.FindReserved((_size + BlockSize - 1) / BlockSize * BlockSize, _beyond);
        _content.SendBeyond(_beyond);
        long bytes = 0;
        while (result.Succeeded && !_content.HasShrunk)
        {
            result = _map.Next(out FileExtent piece, out bool isMore);
            if (result.Succeeded && _batch.Count > 0 && (!isMore || _batch.Count >= MostPieces || bytes + piece.Length > MostBytes))
            {
                Failure verified = Verify();
                if (verified.Failed)
                {
                    return verified;
                }

                bytes = 0;
            }

            if (result.Failed || !isMore)
            {
                break;
            }

            long length = Math.Min(piece.End, _size) - piece.Offset;
            if (length > 0)
            {
                bytes += length;
                // For unwritten space, nothing could be read wrong.
                _batch.Add((piece.Offset, piece.Kind == ExtentKind.Prealloc ? 0 : length));
                Failure failure = SendPiece(piece, length);
                if (failure.Failed)
                {
                    return failure;
                }
            }
        }

        return result.Failed ? Failure.Source(SystemCall.Fiemap, result) : default;
    }

    private Failure SendPiece(FileExtent piece, long length)
    {
        long place = piece.IsShared == true && HasItsPlace(piece) ? PlaceOf(piece) : -1;
        while (length > 0 && !_content.HasShrunk)
        {
            long part = length;
            int file = -1;
            long offset = 0;
            bool isFree = place >= 0;
            if (place >= 0)
            {
                part = _source.Places.Look(place, length, out file, out offset);
                isFree = file < 0;
            }

            long cloned = file < 0 ? 0 : Clonable(piece, part, isLast: part == length, file, offset);
            if (cloned > 0)
            {
                part = cloned;
                _content.SendClone(piece.Offset, part, file, offset);
                context.Counters.SharedLength += piece.Kind == ExtentKind.Data ? part : 0;
            }
            else
            {
                // What follows the end of the file that has it may still be a whole block.
                part = isFree || part == length ? part : Math.Min(Math.Max(part / BlockSize * BlockSize, BlockSize), length);
                Failure failure = SendContent(piece, part);
                if (failure.Failed)
                {
                    return failure;
                }

                if (isFree && !_content.HasShrunk)
                {
                    Keep(piece, part, place);
                }
            }

            length -= part;
            piece = length > 0 ? piece.Part(piece.Offset + part, piece.End) : piece;
            place = place >= 0 ? place + part : place;
        }

        return default;
    }

    /// <summary>How much of a part the receiver can clone from its position in the stream.</summary>
    private long Clonable(in FileExtent piece, long length, bool isLast, int file, long offset)
    {
        ref SentFile sent = ref context.Sent[file];
        if (offset % BlockSize != 0 || (sent.Size < 0 && file != _number))
        {
            return 0;
        }

        // A partial last block can be cloned to the end of a file, from the end of a file.
        long clonable = isLast && file != _number && sent.Size == offset + length ? length : length / BlockSize * BlockSize;
        bool isSame = clonable > 0 &&
            (!_source.Carry!.MustCompare || _comparer.IsSame(_file, piece, clonable, file, offset));
        return isSame ? clonable : 0;
    }

    private Failure SendContent(in FileExtent piece, long length)
    {
        if (piece.Kind == ExtentKind.Prealloc)
        {
            _content.SendReserved(piece.Offset, length);
            return default;
        }

        // A small part of an extent is smaller uncompressed than the whole extent compressed.
        bool mayEncode = context.IsVersion2 && _source.MayEncode && new CarriedPiece { Extent = piece }.IsEncoded &&
            piece.RawDiskLength <= Math.Max(length, BlockSize);
        return mayEncode && _content.TrySendEncoded(_source, piece, length) ? default : _content.SendBytes(piece.Offset, length);
    }

    /// <summary>Whether a file extent's address has belonged to the same data since the session started.</summary>
    private bool HasItsPlace(in FileExtent piece)
    {
        if (!_hasAge)
        {
            _hasAge = true;
            bool isNoCow = Sys.GetFlags(_file, out InodeFlags flags).Failed || flags.HasFlag(InodeFlags.NoCow);
            _ages.Start(_source.Carry!, _file, _map, isNoCow);
        }

        return _ages.IsOld(piece);
    }

    private long PlaceOf(in FileExtent piece)
    {
        long place = piece.Kind switch
        {
            ExtentKind.Prealloc => _source.Carry!.IsBtrfs && context.IsVersion2 ? SharedPool.ReservedPlaceOf(piece.RawPhysicalOffset) : -1,
            ExtentKind.Data when piece.Compression == ExtentCompression.None => SharedPool.PlaceOf(piece.RawPhysicalOffset),
            ExtentKind.Data when new CarriedPiece { Extent = piece }.IsEncoded =>
                SharedPool.PlaceOf(piece.RawDiskOffset, piece.RawExtentOffset),
            _ => -1,
        };
        return piece.Offset % BlockSize == 0 && place % BlockSize == 0 ? place : -1;
    }

    private void Keep(in FileExtent piece, long length, long place)
    {
        if (_number < 0)
        {
            if (context.Sent.IsFull)
            {
                return;
            }

            _number = context.Sent.Add(_path.Bytes, _status);
        }

        if (_source.Places.Add(place, length, _number, piece.Offset))
        {
            _kept.Add(new CarriedPiece { Extent = piece.Part(piece.Offset, piece.Offset + length), Length = length, Place = place });
        }
    }

    /// <summary>
    /// Checks whether what was read is what is on disk at the recorded addresses. If not, these are removed, and what may have been
    /// cloned from there is sent again.
    /// </summary>
    private Failure Verify()
    {
        Failure failure = default;
        if (_kept.Count > 0 && !_map.AreStill(CollectionsMarshal.AsSpan(_kept)))
        {
            foreach (CarriedPiece piece in _kept)
            {
                _source.Places.Remove(piece.Place);
            }

            foreach ((long offset, long length) in _batch)
            {
                failure = failure.Failed ? failure : _content.SendBytes(offset, length);
            }
        }

        _batch.Clear();
        _kept.Clear();
        return failure;
    }
}
