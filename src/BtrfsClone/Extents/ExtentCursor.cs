namespace BtrfsClone.Extents;

/// <summary>The file extents of one file, including holes, by position: forward only and with constant memory.</summary>
internal sealed class ExtentCursor
{
    private readonly ExtentBatch _batch = new();
    private IExtentSource _source = null!;
    private long _blockSize;
    private long _end;
    private int _next;
    private bool _isEnded;

    /// <summary>Starts a file.</summary>
    /// <param name="source">The source of its file extents.</param>
    /// <param name="blockSize">The block size of the filesystem.</param>
    /// <param name="end">The end of the range to read.</param>
    public void Start(IExtentSource source, long blockSize, long end)
    {
        (_source, _blockSize, _end) = (source, blockSize, end);
        _batch.Clear();
        _next = 0;
        _isEnded = false;
    }

    /// <summary>Returns the file extent or hole at a position; positions must not decrease.</summary>
    /// <param name="position">The position, before the end.</param>
    /// <param name="end">The end of the file extent, or the end of the requested range.</param>
    public FileExtent At(long position, out long end)
    {
        while (true)
        {
            for (; _next < _batch.Count; _next++)
            {
                ref readonly FileExtent piece = ref _batch[_next];
                if (EndOf(piece) > position)
                {
                    bool isThere = piece.Offset <= position;
                    end = Math.Min(isThere ? EndOf(piece) : piece.Offset, _end);
                    return isThere ? piece : FileExtent.Hole(position, end - position);
                }
            }

            if (_isEnded)
            {
                end = _end;
                return FileExtent.Hole(position, end - position);
            }

            _batch.Clear();
            _next = 0;
            _isEnded = !_source.Fill(_batch);
        }
    }

    // Inline data has its exact end, and nothing else follows in its block.
    private long EndOf(in FileExtent piece) => piece.Kind == ExtentKind.Inline
        ? (piece.End + _blockSize - 1) / _blockSize * _blockSize
        : piece.End;
}
