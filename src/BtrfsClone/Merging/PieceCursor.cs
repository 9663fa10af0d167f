using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Merging;

/// <summary>The file extents of one file, forward only and with constant memory, including holes.</summary>
internal sealed class PieceCursor(ExtentSource source) : IDisposable
{
    private readonly ExtentReader _reader = new(new ExtentReaderOptions { IncludeHole = true, Source = source });
    private FileExtent _piece;
    private long _blockSize;
    private long _end;

    /// <summary>Starts a file, to be read up to an end.</summary>
    public void Start(in MergedFile file, long blockSize, long end)
    {
        Stop();
        _reader.Open(file.Descriptor, file.Path);
        (_blockSize, _end, _piece) = (blockSize, end, FileExtent.Hole(0, 0));
    }

    /// <summary>The file extent at a position; positions must not decrease.</summary>
    /// <param name="position">The position, before the end.</param>
    /// <param name="end">The end of the file extent: at the end of a block, or the requested end.</param>
    public ref readonly FileExtent At(long position, out long end)
    {
        while ((end = EndOf(_piece)) <= position)
        {
            if (!_reader.Read(out _piece))
            {
                // The file was truncated.
                _piece = FileExtent.Hole(position, _end - position);
            }
        }

        end = Math.Min(end, _end);
        return ref _piece;
    }

    public void Stop() => _reader.Close();

    public void Dispose() => Stop();

    // Inline data has its exact end, and nothing else follows in its block.
    private long EndOf(in FileExtent piece) => Math.Max((piece.End + _blockSize - 1) / _blockSize * _blockSize, 0);
}
