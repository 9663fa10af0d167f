using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Copies a file's bytes to its end, inside the kernel where that can, and keeps its holes: what
/// <see cref="ReflinkMode.Auto"/> falls back to. The size that a file is said to have tells where holes may be and no
/// more: a file in /proc has one of 0, one in /sys one of 4096, and one that is written to grows.
/// </summary>
internal struct ByteCopy(Descriptor source, Descriptor destination, CloneContext context, CancellationToken cancellation)
{
    // Less may well become a part of the metadata, which are written later.
    private const long WorthStarting = 4096;

    private WriteOutPace _pace = new(destination, context.WriteOut, cancellation);
    private long _position;
    private bool _isAtEnd;

    /// <summary>Bytes copied so far. They are counted as they are copied.</summary>
    public long Copied { get; private set; }

    /// <summary>Where to begin: what is before it is there already.</summary>
    public long Position
    {
        init => _position = value;
    }

    /// <summary>
    /// Whether something is preallocated beyond the destination's end: a truncation to the size that it has would free that.
    /// </summary>
    public bool KeepsBeyond { get; init; }

    /// <summary>Copies all.</summary>
    /// <param name="size">The size that the source is said to have.</param>
    /// <param name="length">The bytes that the destination has at the end, holes included.</param>
    public Failure Run(long size, out long length)
    {
        Failure failure = default;
        while (_position < size && !_isAtEnd && !failure.Failed)
        {
            failure = FindData(size, out long end);
            failure = failure.Failed ? failure : CopyTo(end);
        }

        failure = failure.Failed || _isAtEnd ? failure : CopyTo(long.MaxValue);
        length = _position;
        if (Copied >= WorthStarting)
        {
            _pace.Start();
        }

        bool isSized = failure.Failed ||
            (KeepsBeyond && Sys.Stat(destination, out Statx made).Succeeded && made.Size == (ulong)length);
        CallResult result = isSized ? CallResult.Success : Sys.Truncate(destination, length);
        return result.Failed ? Failure.Destination(SystemCall.Ftruncate, result) : failure;
    }

    /// <summary>Goes to the next data, and gives its end. A file that does not tell is all data.</summary>
    private Failure FindData(long size, out long end)
    {
        CallResult data = Sys.SeekData(source, _position);
        if (data.Is(Errno.ENXIO))
        {
            end = _position = size;
            return default;
        }

        CallResult hole = data.Failed ? data : Sys.SeekHole(source, data.Value);
        end = hole.Failed ? size : hole.Value;
        if (hole.Failed && hole.Error is not (Errno.EINVAL or Errno.ESPIPE or Errno.EOPNOTSUPP))
        {
            return Failure.Source(SystemCall.Lseek, hole);
        }

        _position = data.Failed ? _position : data.Value;
        return default;
    }

    private Failure CopyTo(long end)
    {
        while (_position < end && !_isAtEnd)
        {
            if (cancellation.IsCancellationRequested)
            {
                return Failure.Cancelled;
            }

            Failure failure = KernelCopy.Copy(source, _position, destination, _position, end - _position, out long copied);
            if (failure.Failed)
            {
                return failure;
            }

            _isAtEnd = copied == 0;
            _pace.Wrote(_position, copied);
            _position += copied;
            Copied += copied;
            context.Counters.AddCopied(copied);
        }

        return default;
    }
}
