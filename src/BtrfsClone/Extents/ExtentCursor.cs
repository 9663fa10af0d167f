namespace BtrfsClone.Extents;

/// <summary>The pieces of one file, holes included, by place: forward only and with flat memory.</summary>
internal sealed class ExtentCursor
{
    private readonly ExtentBatch _batch = new();
    private IExtentSource _source = null!;
    private long _blockSize;
    private long _end;
    private int _next;
    private bool _isEnded;

    /// <summary>Begins with a file.</summary>
    /// <param name="source">Where its pieces come from.</param>
    /// <param name="blockSize">The filesystem's.</param>
    /// <param name="end">Up to where pieces are wanted.</param>
    public void Start(IExtentSource source, long blockSize, long end)
    {
        (_source, _blockSize, _end) = (source, blockSize, end);
        _batch.Clear();
        _next = 0;
        _isEnded = false;
    }

    /// <summary>Gives the piece or hole at a place; places never go back.</summary>
    /// <param name="position">The place, before the end.</param>
    /// <param name="end">Where the piece ends, or the end that was asked for.</param>
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

    // Inline data ends where it ends, and nothing else follows in its block.
    private long EndOf(in FileExtent piece) => piece.Kind == ExtentKind.Inline
        ? (piece.End + _blockSize - 1) / _blockSize * _blockSize
        : piece.End;
}
