using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Merging;

/// <summary>The pieces of one file, forward only and with flat memory, holes included.</summary>
internal sealed class PieceCursor(ExtentSource source) : IDisposable
{
    private readonly ExtentReader _reader = new(new ExtentReaderOptions { IncludeHole = true, Source = source });
    private FileExtent _piece;
    private long _blockSize;
    private long _end;

    /// <summary>Begins with a file whose pieces up to an end are wanted.</summary>
    public void Start(in MergedFile file, long blockSize, long end)
    {
        Stop();
        _reader.Open(file.Descriptor, file.Path);
        (_blockSize, _end, _piece) = (blockSize, end, FileExtent.Hole(0, 0));
    }

    /// <summary>The piece at a place; places never go back.</summary>
    /// <param name="position">The place, before the end.</param>
    /// <param name="end">Where the piece ends: at the end of a block, or at the end that was asked for.</param>
    public ref readonly FileExtent At(long position, out long end)
    {
        while ((end = EndOf(_piece)) <= position)
        {
            if (!_reader.Read(out _piece))
            {
                // The file is shorter by now.
                _piece = FileExtent.Hole(position, _end - position);
            }
        }

        end = Math.Min(end, _end);
        return ref _piece;
    }

    public void Stop() => _reader.Close();

    public void Dispose() => Stop();

    // Inline data ends where it ends, and nothing else follows in its block.
    private long EndOf(in FileExtent piece) => Math.Max((piece.End + _blockSize - 1) / _blockSize * _blockSize, 0);
}
