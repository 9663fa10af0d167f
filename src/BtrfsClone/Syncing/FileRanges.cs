using BtrfsClone.Cloning;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>
/// The ranges of a file that do not lie in the same places as those of another one: what has to be cloned to make that equal.
/// The trees tell where they may be read, and FIEMAP elsewhere. No data are read.
/// </summary>
/// <remarks>
/// The block that a shorter file ends in is never the same, wherever it lies. What follows the end in it is the other one's
/// data, or was: truncate(2) leaves it there, and the kernel zeroes it, in a new place, as soon as the file grows
/// (btrfs_cont_expand in fs/btrfs/inode.c).
/// </remarks>
internal sealed class FileRanges
{
    private readonly ExtentCursor _source = new();
    private readonly ExtentCursor _destination = new();
    private readonly FiemapSource _mappedSource = new(new FiemapReader());
    private readonly FiemapSource _mappedDestination = new(new FiemapReader());
    private (ItemSource Source, ItemSource Destination)? _items;
    private long _position;
    private long _end;
    private long _cutBlock;
    private long _cutBlockEnd;

    /// <summary>Begins with two open files of one filesystem.</summary>
    /// <param name="source">The file that the ranges are of.</param>
    /// <param name="sourceStatus">Its status.</param>
    /// <param name="destination">The file that is compared with it.</param>
    /// <param name="destinationStatus">Its status.</param>
    /// <param name="useTrees">Whether btrfs's trees may be read.</param>
    /// <exception cref="BtrfsException">Neither tells where a file lies.</exception>
    public void Start(
        Descriptor source, in Statx sourceStatus, Descriptor destination, in Statx destinationStatus, bool useTrees)
    {
        long block = Begin(sourceStatus, destinationStatus);

        // What is delayed has no place yet.
        _mappedSource.Start(source, "", 0, _end, flush: true);
        _mappedDestination.Start(destination, "", 0, _end, flush: true);
        if (useTrees)
        {
            Throw(Sys.Flush(source), SystemCall.Fiemap);
            Throw(Sys.Flush(destination), SystemCall.Fiemap);
            StartItems(source, sourceStatus, destination, destinationStatus, block);
        }
        else
        {
            _source.Start(_mappedSource, block, _end);
            _destination.Start(_mappedDestination, block, _end);
        }
    }

    /// <summary>Begins with two files of which the trees tell: they need not be open, and what is delayed is not seen.</summary>
    /// <param name="pair">What is open in the files' subvolumes.</param>
    /// <param name="sourceStatus">The status of the file that the ranges are of.</param>
    /// <param name="destinationStatus">The status of the file that is compared with it.</param>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public void StartCommitted(DirectoryPair pair, in Statx sourceStatus, in Statx destinationStatus) => StartItems(
        pair.Source, sourceStatus, pair.Destination, destinationStatus, Begin(sourceStatus, destinationStatus));

    private long Begin(in Statx sourceStatus, in Statx destinationStatus)
    {
        (_position, _end) = (0, (long)sourceStatus.Size);
        long block = Math.Max(sourceStatus.BlockSize, 512);
        long size = (long)destinationStatus.Size;
        _cutBlock = size < _end ? size / block * block : _end;
        _cutBlockEnd = size < _end ? (size + block - 1) / block * block : _end;
        return block;
    }

    private void StartItems(
        Descriptor source, in Statx sourceStatus, Descriptor destination, in Statx destinationStatus, long block)
    {
        (ItemSource Source, ItemSource Destination) items = _items ??= (new ItemSource(), new ItemSource());
        Throw(items.Source.Start(source, "", sourceStatus.Inode), SystemCall.TreeSearch);
        Throw(items.Destination.Start(destination, "", destinationStatus.Inode), SystemCall.TreeSearch);
        _source.Start(items.Source, block, _end);
        _destination.Start(items.Destination, block, _end);
    }

    /// <summary>Gives the next range that differs. It begins and ends with a block, or ends with the source.</summary>
    /// <exception cref="BtrfsException">Reading failed.</exception>
    public bool Next(out long offset, out long length)
    {
        offset = length = 0;
        while (_position < _end)
        {
            FileExtent piece = _source.At(_position, out long end);
            FileExtent other = _destination.At(_position, out long otherEnd);
            end = Math.Min(Math.Min(end, otherEnd), _end);
            bool isBeforeCut = _position < _cutBlock;
            bool isCut = !isBeforeCut && _position < _cutBlockEnd;
            end = isBeforeCut ? Math.Min(end, _cutBlock) : isCut ? Math.Min(end, _cutBlockEnd) : end;
            bool isSame = !isCut && ((piece.Kind == ExtentKind.Hole && other.Kind == ExtentKind.Hole) ||
                ExtentPlace.Relate(piece, other, _position) == PlaceRelation.Same);
            if (isSame && length > 0)
            {
                return true;
            }

            if (!isSame)
            {
                offset = length == 0 ? _position : offset;
                length = end - offset;
            }

            _position = end;
        }

        return length > 0;
    }

    /// <summary>How many bytes all ranges have that are left.</summary>
    /// <exception cref="BtrfsException">Reading failed.</exception>
    public long RestLength()
    {
        long sum = 0;
        while (Next(out _, out long length))
        {
            sum += length;
        }

        return sum;
    }

    private static void Throw(CallResult result, SystemCall call)
    {
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, call, "");
        }
    }
}
