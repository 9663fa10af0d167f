using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Merging;

/// <summary>
/// Makes one file share the extents of another where both have equal data. Data that is already shared is skipped by comparing
/// extents; the rest is passed to the kernel in chunks, and a chunk that differs is split into parts that are equal.
/// </summary>
internal sealed class FileMerger : IDisposable
{
    // btrfs itself works in chunks of this size (BTRFS_MAX_DEDUPE_LEN); older kernels process no more per call.
    private const long Chunk = 16L << 20;

    private readonly MergeCounters _counters;
    private readonly Action _pump;
    private readonly PieceCursor _referencePieces = new(ExtentSource.Fiemap);
    private readonly PieceCursor _filePieces = new(ExtentSource.Fiemap);
    private readonly PieceCursor _referenceItems = new(ExtentSource.Tree);
    private readonly PieceCursor _fileItems = new(ExtentSource.Tree);
    private readonly RangeMerger _ranges;
    private readonly ulong _fileSizeLimit = Sys.FileSizeLimit;
    private MergedFile _reference;
    private MergedFile _file;
    private long _blockSize;
    private bool _treeRefused;
    private long _deduped;
    private long _same;
    private long _inline;

    // The range that is being collected: consecutive file extents of the same kind.
    private long _start;
    private long _end;
    private bool _perhapsSame;
    private bool _shared;

    /// <param name="preview">Only count: compare by reading, and share nothing.</param>
    /// <param name="counters">The counters to update.</param>
    /// <param name="pump">Called between two steps; it may throw to end the work.</param>
    public FileMerger(bool preview, MergeCounters counters, Action pump)
    {
        (_counters, _pump) = (counters, pump);
        _ranges = new RangeMerger(preview, Add, pump);
    }

    /// <summary>Merges a file with its reference.</summary>
    /// <param name="reference">The file whose extents are shared.</param>
    /// <param name="file">The file that will share them.</param>
    /// <param name="isOne">Whether both are links to one inode.</param>
    /// <exception cref="BtrfsException">It failed; what was shared by then stays shared.</exception>
    public MergeResult Merge(in MergedFile reference, in MergedFile file, bool isOne)
    {
        (_reference, _file) = (reference, file);
        (_deduped, _same, _inline, _start, _end) = (0, 0, 0, 0, 0);
        if (isOne)
        {
            AddSame(file.Size);
        }
        else if (file.Size > 0 && reference.Size > 0)
        {
            Walk();
        }

        long different = file.Size - _deduped - _same - _inline;
        _counters.AddFile(different);
        return new MergeResult
        {
            ReferencePath = reference.Path,
            Path = file.Path,
            DedupedLength = _deduped,
            SameLength = _same,
            InlineLength = _inline,
            DifferentLength = different,
        };
    }

    /// <summary>Releases its resources.</summary>
    public void Dispose()
    {
        _referencePieces.Dispose();
        _filePieces.Dispose();
        _referenceItems.Dispose();
        _fileItems.Dispose();
    }

    private void Walk()
    {
        CallResult result = Sys.BlockSize(_file.Descriptor, out _blockSize);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.Fstatfs, _file.Path);
        }

        // Within a block, the kernel only accepts an end that is the end of both files.
        long shorter = Math.Min(_reference.Size, _file.Size);
        long limit = _reference.Size == _file.Size ? shorter : shorter / _blockSize * _blockSize;
        if (limit == 0)
        {
            return;
        }

        if ((ulong)limit > _fileSizeLimit)
        {
            // For the kernel, sharing counts as writing.
            throw new BtrfsException(BtrfsError.FileTooLarge, _file.Path);
        }

        Flush(_reference);
        Flush(_file);
        PieceCursor referencePieces = _referencePieces;
        PieceCursor filePieces = _filePieces;
        Start(referencePieces, filePieces, limit);
        _ranges.Start(_reference, _file, _blockSize);
        for (long position = 0; position < limit;)
        {
            ref readonly FileExtent reference = ref referencePieces.At(position, out long referenceEnd);
            ref readonly FileExtent piece = ref filePieces.At(position, out long end);
            PieceRelation relation = PieceRelations.Relate(reference, piece, position);
            if (relation == PieceRelation.PerhapsSame && referencePieces == _referencePieces && TryStartItems(limit))
            {
                (referencePieces, filePieces) = (_referenceItems, _fileItems);
                continue;
            }

            end = Math.Min(Math.Min(end, referenceEnd), limit);
            if (relation is PieceRelation.Apart or PieceRelation.PerhapsSame)
            {
                Gather(position, end, relation == PieceRelation.PerhapsSame, piece.IsShared == true);
            }
            else
            {
                Settle();
                AddSame(relation == PieceRelation.Same ? end - position : 0);
                AddInline(relation == PieceRelation.Inline && _ranges.AreSame(position, end) ? end - position : 0);
            }

            position = end;
            _pump();
        }

        Settle();
    }

    /// <summary>Writes dirty data to disk: over an existing extent it is not visible, and what looks shared would not stay so.</summary>
    private static void Flush(in MergedFile file)
    {
        CallResult result = Sys.Flush(file.Descriptor);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.Fiemap, file.Path);
        }
    }

    private void Start(PieceCursor referencePieces, PieceCursor filePieces, long limit)
    {
        referencePieces.Start(_reference, _blockSize, limit);
        filePieces.Start(_file, _blockSize, limit);
    }

    /// <summary>Switches to the trees, which give the offset of a file extent in a compressed extent, if they may be read.</summary>
    private bool TryStartItems(long limit)
    {
        if (_treeRefused)
        {
            return false;
        }

        try
        {
            Start(_referenceItems, _fileItems, limit);
            return true;
        }
        catch (BtrfsException failure) when (failure.Error is BtrfsError.PermissionDenied or BtrfsError.NotBtrfs)
        {
            _treeRefused = true;
            return false;
        }
    }

    private void Gather(long start, long end, bool perhapsSame, bool shared)
    {
        if (start != _end || perhapsSame != _perhapsSame || shared != _shared)
        {
            Settle();
            _start = start;
        }

        (_end, _perhapsSame, _shared) = (end, perhapsSame, shared);
        while (_end - _start >= Chunk)
        {
            _ranges.Merge(_start, _start + Chunk, _perhapsSame);
            _start += Chunk;
        }
    }

    private void Settle()
    {
        if (_end > _start)
        {
            _ranges.Merge(_start, _end, _perhapsSame);
        }

        _start = _end;
    }

    private void Add(long length)
    {
        if (_perhapsSame)
        {
            AddSame(length);
            return;
        }

        _deduped += length;
        _counters.AddDeduped(length, _shared);
    }

    private void AddInline(long length)
    {
        _inline += length;
        _counters.AddInline(length);
    }

    private void AddSame(long length)
    {
        _same += length;
        _counters.AddSame(length);
    }
}
