using BtrfsClone.Cloning;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>
/// The ranges of a file whose disk addresses differ from those of another file: these have to be cloned to make the other file
/// equal. They are read from the trees if permitted, otherwise with FIEMAP. No data is read.
/// </summary>
/// <remarks>
/// The block in which a shorter file ends is always considered different, even with the same address. Beyond the end it contains
/// data of the other file, or did: truncate(2) leaves it there, and the kernel zeroes it, at a new address, as soon as the file
/// grows (btrfs_cont_expand in fs/btrfs/inode.c).
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

    /// <summary>Starts with two open files on one filesystem.</summary>
    /// <param name="source">The file whose ranges are returned.</param>
    /// <param name="sourceStatus">Its status.</param>
    /// <param name="destination">The file to compare it with.</param>
    /// <param name="destinationStatus">Its status.</param>
    /// <param name="useTrees">Whether btrfs's trees may be read.</param>
    /// <exception cref="BtrfsException">Neither the trees nor FIEMAP give the location of a file's data.</exception>
    public void Start(
        Descriptor source, in Statx sourceStatus, Descriptor destination, in Statx destinationStatus, bool useTrees)
    {
        long block = Begin(sourceStatus, destinationStatus);

        // Delayed data has no address yet.
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

    /// <summary>Starts with two files whose items are read from the trees: they need not be open, and delayed data is ignored.</summary>
    /// <param name="pair">Directories that are open in the files' subvolumes.</param>
    /// <param name="sourceStatus">The status of the file whose ranges are returned.</param>
    /// <param name="destinationStatus">The status of the file to compare it with.</param>
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

    /// <summary>Returns the next range that differs. It is aligned to blocks, or ends at the end of the source.</summary>
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

    /// <summary>The total length of the remaining ranges.</summary>
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
