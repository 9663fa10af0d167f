using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>
/// The file extents of a source file, in file order: from FIEMAP, which first writes dirty data to disk and reports what is shared;
/// and if btrfs's trees may be read, with the extents that they refer to.
/// </summary>
internal sealed class SourceMap
{
    private const int Room = 256;

    // The maximum size of a written extent on btrfs (BTRFS_MAX_EXTENT_SIZE): longer file extents may be split.
    private const long LongestPiece = 128L << 20;

    private readonly FiemapReader _map = new(Room);
    private readonly FiemapReader _again = new(Room);
    private readonly ItemSource _items = new();
    private readonly ExtentCursor _cursor = new();
    private Descriptor _file;
    private CarrySource _source = null!;
    private Statx _status;
    private FileExtent _mapped;
    private FileExtent _rest;
    private int _next;
    private bool _hasRest;
    private bool _isFirst;
    private bool _byItems;

    /// <summary>Starts a file.</summary>
    public void Start(CarrySource source, Descriptor file, in Statx status)
    {
        (_source, _file, _status) = (source, file, status);
        _map.Start(file, "", flush: true);
        _next = 0;
        _hasRest = _byItems = false;
        _isFirst = true;
    }

    /// <summary>Returns the preallocated space from an offset on. Must be called before the first file extent is read.</summary>
    public CallResult FindReserved(long start, List<(long Offset, long Length)> reserved)
    {
        CallResult result = _map.TryMapOn(long.MaxValue, out bool isMore);
        FiemapReader reader = _map;
        if (isMore && !_map.EndsFile)
        {
            (reader, isMore) = (_again, true);
            _again.Start(_file, "", from: start);
            result = _again.TryMapOn(long.MaxValue, out isMore);
        }

        while (result.Succeeded && isMore)
        {
            foreach (ref readonly FiemapExtent extent in reader.Extents)
            {
                long from = Math.Max((long)extent.Logical, start);
                long length = (long)(extent.Logical + extent.Length) - from;
                if (length > 0 && extent.Flags.HasFlag(FiemapExtentFlags.Unwritten))
                {
                    reserved.Add((from, length));
                }
            }

            isMore = false;
            result = reader == _map ? result : reader.TryMapOn(long.MaxValue, out isMore);
        }

        if (_map.Count > 0)
        {
            BeginItems();
        }

        return result;
    }

    /// <summary>Returns the next file extent, up to the end of the file; holes are skipped.</summary>
    public CallResult Next(out FileExtent piece, out bool isMore)
    {
        piece = default;
        isMore = true;
        if (!_hasRest)
        {
            if (_next >= _map.Count)
            {
                CallResult result = _map.TryMapOn(long.MaxValue, out isMore);
                if (result.Failed || !isMore)
                {
                    return result;
                }

                _next = 0;
                BeginItems();
            }

            _rest = _mapped = FiemapSource.ToPiece(_map[_next++]);
            if (_rest.Offset >= (long)_status.Size)
            {
                isMore = false; // Preallocated space beyond the end was returned before.
                return CallResult.Success;
            }

            _hasRest = true;
        }

        piece = Take();
        if (piece.Length > LongestPiece)
        {
            piece = piece.Part(piece.Offset, piece.Offset + LongestPiece);
        }

        _hasRest = piece.End < _rest.End && piece.End < (long)_status.Size;
        _rest = _hasRest ? _rest.Part(piece.End, _rest.End) : _rest;
        return CallResult.Success;
    }

    /// <summary>
    /// Whether file extents that were mapped before still have the same addresses, with no dirty data over them, and the file is
    /// unchanged: then what was read from it in the meantime is what is on disk there. Shared data is never written in place.
    /// </summary>
    /// <param name="pieces">File extents in file order.</param>
    public bool AreStill(ReadOnlySpan<CarriedPiece> pieces)
    {
        _again.Start(_file, "", flush: true, from: pieces[0].Extent.Offset);
        long end = pieces[^1].Extent.End;
        int next = -1;
        long position = 0;
        Advance(pieces);
        while (next < pieces.Length && _again.TryMapOn(end))
        {
            foreach (ref readonly FiemapExtent mapped in _again.Extents)
            {
                while (next < pieces.Length && (long)(mapped.Logical + mapped.Length) > position)
                {
                    FileExtent now = FiemapSource.ToPiece(mapped);
                    if (now.Offset > position || !Agrees(pieces[next].Extent, now, position))
                    {
                        return false;
                    }

                    position = Math.Min(now.End, pieces[next].Extent.End);
                    if (position < pieces[next].Extent.End)
                    {
                        break;
                    }

                    Advance(pieces);
                }
            }
        }

        return next >= pieces.Length && IsUnchanged();

        void Advance(ReadOnlySpan<CarriedPiece> all)
        {
            do
            {
                next++;
            }
            while (next < all.Length && !all[next].IsPooled);
            position = next < all.Length ? all[next].Extent.Offset : 0;
        }
    }

    /// <summary>Whether the file has the same change time as when it was opened.</summary>
    public bool IsUnchanged() => Sys.Stat(_file, out Statx status).Succeeded &&
        status.ChangeTime.Seconds == _status.ChangeTime.Seconds &&
        status.ChangeTime.Nanoseconds == _status.ChangeTime.Nanoseconds;

    /// <summary>Whether the file was last changed before that time.</summary>
    public bool IsOlderThan(RunStart start) => start.IsAfter(_status) && IsUnchanged();

    /// <summary>A single extent that is neither compressed nor shared needs no items: they would give no further information.</summary>
    private void BeginItems()
    {
        bool isWorthIt = _isFirst && _source.MayReadTrees &&
            (_map.Count > 1 || (_map[0].Flags & (FiemapExtentFlags.Encoded | FiemapExtentFlags.Shared)) != 0);
        _isFirst = false;
        if (!isWorthIt)
        {
            return;
        }

        CallResult result = _items.Start(_file, "", _status.Inode);
        _byItems = result.Succeeded;
        if (_byItems)
        {
            _cursor.Start(_items, Math.Max(_status.BlockSize, 512), long.MaxValue);
        }
        else if (result.Error is Errno.EPERM or Errno.EACCES or Errno.ENOTTY or Errno.ENOSYS)
        {
            _source.ForgoTrees();
        }
    }

    /// <summary>The rest of what FIEMAP reported as one, up to the end of the extent.</summary>
    private FileExtent Take()
    {
        if (!_byItems || _rest.Kind is not (ExtentKind.Data or ExtentKind.Prealloc))
        {
            return _rest;
        }

        try
        {
            FileExtent item = _cursor.At(_rest.Offset, out long end);
            end = Math.Min(end, _rest.End);
            return Agrees(item, _mapped, _rest.Offset)
                ? item.Part(_rest.Offset, end) with { IsShared = _rest.IsShared }
                : _rest.Part(_rest.Offset, end) with { IsShared = false };
        }
        catch (BtrfsException)
        {
            _byItems = false; // Copying bytes does not need the information from the trees.
            return _rest;
        }
    }

    /// <summary>Whether a file extent has the address that FIEMAP reports for an offset.</summary>
    private static bool Agrees(in FileExtent piece, in FileExtent mapped, long position)
    {
        if (piece.Kind != mapped.Kind || piece.RawPhysicalOffset <= 0 ||
            (piece.Compression == ExtentCompression.None) != (mapped.Compression == ExtentCompression.None))
        {
            return false;
        }

        if (mapped.Compression is null)
        {
            // FIEMAP merges compressed extents if the second starts as far behind the first as the first's uncompressed length. The
            // file extent may be a later part of its extent, all of which has one address.
            long begin = mapped.Offset + piece.RawPhysicalOffset - mapped.RawPhysicalOffset;
            return begin >= mapped.Offset && begin <= piece.Offset &&
                (piece.RawExtentOffset < 0 || piece.Offset - begin <= piece.RawExtentOffset);
        }

        return piece.RawPhysicalOffset + position - piece.Offset == mapped.RawPhysicalOffset + position - mapped.Offset;
    }
}
