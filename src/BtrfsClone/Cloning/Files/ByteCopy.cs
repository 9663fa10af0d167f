using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Copies a file's bytes up to its end, in the kernel if possible, and preserves holes: the fallback of
/// <see cref="ReflinkMode.Auto"/>. The reported size of a file only determines where holes may be: that of a file in /proc is 0,
/// that of one in /sys is 4096, and a file that is written to grows.
/// </summary>
internal struct ByteCopy(Descriptor source, Descriptor destination, CloneContext context, CancellationToken cancellation)
{
    // Smaller files are likely to become part of the metadata, which is written later.
    private const long WorthStarting = 4096;

    private WriteOutPace _pace = new(destination, context.WriteOut, cancellation);
    private long _position;
    private bool _isAtEnd;

    /// <summary>Bytes copied so far. They are counted as they are copied.</summary>
    public long Copied { get; private set; }

    /// <summary>Where to start: everything before it is already there.</summary>
    public long Position
    {
        init => _position = value;
    }

    /// <summary>Whether space is preallocated beyond the destination's end: a truncation to the current size would free that.</summary>
    public bool KeepsBeyond { get; init; }

    /// <summary>Copies everything.</summary>
    /// <param name="size">The reported size of the source.</param>
    /// <param name="length">The final length of the destination, including holes.</param>
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

    /// <summary>Goes to the next data, and returns its end. A file that does not support this is all data.</summary>
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
