using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>
/// The file extents of a file as reported by FIEMAP. On btrfs nearly all of the time is spent checking what is shared, and two
/// concurrent calls for two parts of the file take half as long as one after the other.
/// </summary>
internal sealed class FiemapSource(FiemapReader reader) : IExtentSource
{
    // Fewer per call are not worth a second thread. This leaves some room, as extents may be denser in one part than in the other.
    private const int WorthTwo = FiemapReader.MaxExtents / 4;
    private const int AimedAt = FiemapReader.MaxExtents * 3 / 4;

    private FiemapReader? _second;
    private bool _twoAtOnce;
    private long _start;
    private long _position;
    private long _end;
    private long _step;
    private bool _done;

    /// <summary>Whether the last call ended because the buffer was full.</summary>
    public bool HasMore => reader.IsFull;

    /// <summary>Starts a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="path">The path to use in error messages.</param>
    /// <param name="offset">The start of the range to read.</param>
    /// <param name="end">Its end; <see cref="long.MaxValue"/> for all.</param>
    /// <param name="flush">Whether dirty data is written to disk before anything is mapped.</param>
    /// <param name="twoAtOnce">Whether a second thread may be used.</param>
    public void Start(
        Descriptor file, string path, long offset, long end, bool flush = false, bool twoAtOnce = false)
    {
        reader.Start(file, path, flush);
        _second?.Start(file, path);
        _start = _position = offset;
        _end = end;
        _step = 0;
        _twoAtOnce = twoAtOnce;
        _done = false;
    }

    /// <inheritdoc/>
    public bool Fill(ExtentBatch batch)
    {
        if (_done || _position >= _end)
        {
            return false;
        }

        long before = _position;
        if (_step == 0 || _end - before <= 2 * _step || !FillWithTwo(batch))
        {
            batch.Clear();
            _position = before;
            reader.Map(before, _end);
            Take(reader, batch, seam: 0);
            _done = reader.EndsFile || _position == before;
        }

        _step = _twoAtOnce && batch.Count >= WorthTwo ? (_position - before) / batch.Count * AimedAt : 0;
        return true;
    }

    /// <summary>Converts FIEMAP's description of a file extent.</summary>
    public static FileExtent ToPiece(in FiemapExtent extent)
    {
        FiemapExtentFlags flags = extent.Flags;
        ExtentKind kind = (flags & FiemapExtentFlags.DataInline) != 0 ? ExtentKind.Inline
            : (flags & FiemapExtentFlags.Delalloc) != 0 ? ExtentKind.Delalloc
            : (flags & FiemapExtentFlags.Unwritten) != 0 ? ExtentKind.Prealloc
            : ExtentKind.Data;
        if (kind == ExtentKind.Delalloc)
        {
            return FileExtent.Delalloc((long)extent.Logical, (long)extent.Length);
        }

        bool isPlaced = kind != ExtentKind.Inline && (flags & FiemapExtentFlags.Unknown) == 0;
        return FileExtent.Mapped(
            (long)extent.Logical,
            (long)extent.Length,
            kind,
            isPlaced ? (long)extent.Physical : null,
            (flags & FiemapExtentFlags.Encoded) != 0 ? null : ExtentCompression.None,
            (flags & FiemapExtentFlags.Shared) != 0);
    }

    /// <summary>Maps two parts concurrently. False if this returned nothing to continue with.</summary>
    private bool FillWithTwo(ExtentBatch batch)
    {
        if (_second is null)
        {
            _second = new FiemapReader();
            _second.StartAs(reader);
        }

        long middle = _position + _step;
        long to = middle + _step;
        FiemapReader second = _second;
        var task = Task.Run(() => second.Map(middle, to));
        try
        {
            reader.Map(_position, middle);
        }
        finally
        {
            // The call writes into a buffer, and uses a descriptor, which must outlive it.
            ((IAsyncResult)task).AsyncWaitHandle.WaitOne();
        }

        task.GetAwaiter().GetResult();
        Take(reader, batch, seam: 0);
        if (reader.EndsFile || reader.IsFull)
        {
            _done = reader.EndsFile;
            return true;
        }

        Take(second, batch, seam: batch.Count);
        if (second.EndsFile || second.IsFull)
        {
            _done = second.EndsFile;
            return true;
        }

        if (batch.Count < 2)
        {
            return false;
        }

        // The kernel has not checked whether the last file extent continues after the part: the next call returns it again.
        _position = batch.RemoveLast().Offset;
        return true;
    }

    /// <summary>Adds the result of a call; at the seam, a file extent may continue the last one of the batch.</summary>
    private void Take(FiemapReader from, ExtentBatch batch, int seam)
    {
        for (int i = 0; i < from.Count; i++)
        {
            FileExtent piece = ToPiece(from[i]);
            if (piece.Offset < _position && _position > _start)
            {
                // It extends across the two parts, or its start has moved since the call before.
                if (piece.End <= _position)
                {
                    continue;
                }

                piece = piece.Part(_position, piece.End);
            }

            _position = piece.End;
            if (seam == 0 || batch.Count != seam || !batch.TryExtendLast(piece))
            {
                batch.Add(piece);
            }
        }
    }
}
