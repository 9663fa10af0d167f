using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>A file extent while it is being read from the tree.</summary>
internal struct TreePiece
{
    public FileExtent Extent;

    /// <summary>The generation of the leaf that contains its item.</summary>
    public ulong LeafGeneration;

    public Sharing Sharing;

    /// <summary>The file that it belongs to.</summary>
    public ulong Inode;

    /// <summary>
    /// Whether a snapshot may share the leaf, or the references are not conclusive. A leaf newer than the last snapshot was copied
    /// since then; copying it added a second reference to everything that both it and the snapshot use.
    /// </summary>
    public readonly bool MustAskKernel(ulong lastSnapshot) => Sharing switch
    {
        Sharing.Shared => false,
        Sharing.OwnLeaf => LeafGeneration <= lastSnapshot,
        _ => true,
    };
}

/// <summary>
/// The file extents of a file from the EXTENT_DATA items of its subvolume's tree. While a transaction is running, items may change
/// between two leaves, references may be missing from the extent tree, and data may not have reached the tree yet: then FIEMAP,
/// which locks the range, decides what is shared and what is a hole.
/// </summary>
internal sealed class TreeSource(FiemapReader fiemap) : IExtentSource
{
    // The first result should be available immediately, and the rest comes in batches that limit memory.
    private const int FirstBatch = 256;
    private const int Batch = 8192;

    // No data extent is longer (btrfs_prealloc_file_range in fs/btrfs/inode.c), so an extent that overlaps a range starts at most
    // this far before it.
    private const long MaxExtent = 256L << 20;

    private readonly TreeSearch _search = new();
    private readonly FiemapWindow _window = new(fiemap);
    private readonly TreePiece[] _pieces = new TreePiece[Batch];
    private TreeState? _state;
    private ReferenceReader? _references;
    private ulong _inode;
    private ulong _root;
    private string _path = "";
    private uint _blockSize;
    private int _count;
    private int _batchSize;
    private long _start;
    private long _position;
    private long _end;
    private bool _done;

    private TreeState State => _state ??= new TreeState(_search);

    /// <summary>Starts a file. Fails if the trees cannot be read.</summary>
    public CallResult Start(Descriptor file, string path, in Statx status, long offset, long end)
    {
        _search.Start(file, path);
        fiemap.Start(file, path);
        CallResult result = Sys.SubvolumeId(file, out _root);
        if (result.Failed)
        {
            return result;
        }

        _path = path;
        _inode = status.Inode;
        _blockSize = Math.Max(status.BlockSize, 512);
        State.Start(file, _root, _inode);
        _start = _position = offset;
        _end = end;
        _batchSize = FirstBatch;
        _done = false;
        return State.Look();
    }

    /// <inheritdoc/>
    public bool Fill(ExtentBatch batch)
    {
        if (_done || _position >= _end)
        {
            return false;
        }

        CallResult result = State.Look();
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.TreeSearch, _path);
        }

        long from = _position;
        ReadItems();
        _batchSize = Batch;
        Span<TreePiece> pieces = _pieces.AsSpan(0, _count);
        (_references ??= new ReferenceReader(_search)).Resolve(pieces, _root);
        Describe(batch, pieces, from, _done ? _end : _position);
        return true;
    }

    /// <summary>Reads the next items, up to a full batch; the part that an earlier item has covered is cut off.</summary>
    private void ReadItems()
    {
        _count = 0;
        long next = _position > _start ? _position : Math.Max(_start - MaxExtent, 0);
        long last = -1;
        while (_count < _batchSize)
        {
            int found = _search.Find(
                0,
                new ItemKey(_inode, BtrfsKey.ExtentData, (ulong)next),
                new ItemKey(_inode, BtrfsKey.ExtentData, (ulong)_end - 1),
                (uint)(_batchSize - _count));
            if (found == 0)
            {
                _done = true;
                return;
            }

            while (_search.Next(out TreeSearchHeader header, out ReadOnlySpan<byte> item))
            {
                if (header.ObjectId != _inode || header.Type != BtrfsKey.ExtentData || (long)header.Offset <= last ||
                    !TreeItems.TryReadFileExtent(item, header.Offset, out FileExtent extent))
                {
                    throw _search.Malformed();
                }

                // Items may change between two leaves: one may then start before the end of the one before it.
                last = extent.Offset;
                next = Math.Max(next, Math.Max(last + 1, extent.End));
                Take(extent, header.Transid);
            }
        }
    }

    private void Take(FileExtent extent, ulong leafGeneration)
    {
        // Inline data occupies its whole block: nothing follows it there.
        long end = extent.Kind == ExtentKind.Inline ? RoundUp(extent.End) : extent.End;
        if (end <= _position)
        {
            return;
        }

        if (extent.Offset < _position && _position > _start)
        {
            // An item that was split after the one before it had been read whole.
            extent = extent.Part(_position, extent.End);
        }

        _position = end;
        if (extent.Kind != ExtentKind.Hole)
        {
            _pieces[_count++] = new TreePiece { Extent = extent, LeafGeneration = leafGeneration, Inode = _inode };
        }
    }

    /// <summary>Determines what is shared, and finds delayed data, in a part of the file.</summary>
    private void Describe(ExtentBatch batch, Span<TreePiece> pieces, long from, long to)
    {
        bool still = State.IsStill();
        bool delalloc = !still || State.MayHaveDelalloc(from, to);
        _window.Start(from, !still || AnyToAsk(pieces) || (delalloc && HasManyGaps(pieces, from)) ? to : from);
        long position = from;
        foreach (ref TreePiece piece in pieces)
        {
            if (delalloc && piece.Extent.Offset > position)
            {
                AddFromKernel(batch, position, piece.Extent.Offset);
            }

            piece.Extent = piece.Extent with { IsShared = IsShared(piece, still) };
            if (delalloc && piece.Extent.Kind == ExtentKind.Prealloc)
            {
                AddPrealloc(batch, piece.Extent);
            }
            else
            {
                batch.Add(piece.Extent);
            }

            position = piece.Extent.Kind == ExtentKind.Inline ? RoundUp(piece.Extent.End) : piece.Extent.End;
        }

        if (delalloc && position < to)
        {
            AddFromKernel(batch, position, to);
        }
    }

    private bool AnyToAsk(ReadOnlySpan<TreePiece> pieces)
    {
        foreach (ref readonly TreePiece piece in pieces)
        {
            if (piece.Extent.RawDiskOffset > 0 && piece.MustAskKernel(State.LastSnapshot))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether looking up each gap individually would cost more than looking up everything at once.</summary>
    private static bool HasManyGaps(ReadOnlySpan<TreePiece> pieces, long position)
    {
        const int PiecesOfOneCall = 4;
        int gaps = 0;
        foreach (ref readonly TreePiece piece in pieces)
        {
            gaps += piece.Extent.Offset > position || piece.Extent.Kind == ExtentKind.Prealloc ? 1 : 0;
            position = piece.Extent.End;
        }

        return gaps * PiecesOfOneCall > pieces.Length;
    }

    private bool? IsShared(in TreePiece piece, bool still)
    {
        if (piece.Extent.RawDiskOffset <= 0)
        {
            return piece.Extent.IsShared;
        }

        if ((!still || piece.MustAskKernel(State.LastSnapshot)) &&
            _window.Find(piece.Extent.Offset, piece.Extent.End, out FiemapExtent mapped) &&
            mapped.Logical <= (ulong)piece.Extent.Offset && (mapped.Flags & FiemapExtentFlags.Delalloc) == 0)
        {
            return (mapped.Flags & FiemapExtentFlags.Shared) != 0;
        }

        return piece.Sharing == Sharing.Shared;
    }

    /// <summary>
    /// Adds what the kernel reports for gaps between items: data that is delayed or has not reached the tree yet, and an extent
    /// whose item was being replaced at that time.
    /// </summary>
    private void AddFromKernel(ExtentBatch batch, long from, long to)
    {
        while (from < to && _window.Find(from, to, out FiemapExtent mapped))
        {
            FileExtent piece = FiemapSource.ToPiece(mapped);
            long start = Math.Max(piece.Offset, from);
            from = Math.Min(piece.End, to);
            batch.Add(piece.Part(start, from));
        }
    }

    private void AddPrealloc(ExtentBatch batch, in FileExtent prealloc)
    {
        long position = prealloc.Offset;
        long from = position;
        while (from < prealloc.End && _window.Find(from, prealloc.End, out FiemapExtent mapped))
        {
            long start = Math.Max((long)mapped.Logical, from);
            from = Math.Min((long)(mapped.Logical + mapped.Length), prealloc.End);
            if ((mapped.Flags & FiemapExtentFlags.Delalloc) != 0)
            {
                if (start > position)
                {
                    batch.Add(prealloc.Part(position, start));
                }

                batch.Add(FileExtent.Delalloc(start, from - start));
                position = from;
            }
        }

        if (position < prealloc.End)
        {
            batch.Add(prealloc.Part(position, prealloc.End));
        }
    }

    private long RoundUp(long bytes) => (bytes + _blockSize - 1) / _blockSize * _blockSize;
}
