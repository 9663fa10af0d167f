using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Starts write-out of what is written to one file, and waits for it while more than the disk writes in a moment is on its way
/// in all (<see cref="WriteOutRate"/>): neither removing an unfinished file nor the end of the process can be cancelled, and both
/// wait for that.
/// </summary>
internal struct WriteOutPace(Descriptor file, WriteOutRate rate, CancellationToken cancellation)
{
    // Bytes that are written before their write-out is started: as many as an extent of btrfs holds (BTRFS_MAX_EXTENT_SIZE),
    // which would be parted by it.
    private const long Started = 128 << 20;

    // Bytes that one call starts or waits for.
    private const long Step = 1 << 20;

    private long _begin = -1;
    private long _end;

    /// <summary>Is told what has been written, in the file's order.</summary>
    public void Wrote(long offset, long length)
    {
        if (_begin >= 0 && offset != _end)
        {
            Start();
        }

        _begin = _begin < 0 ? offset : _begin;
        _end = offset + length;
        if (_end - _begin >= Started)
        {
            Start();
        }
    }

    /// <summary>
    /// Starts write-out of what was written so far: what follows gets an extent of its own. Where that fails nothing is lost:
    /// the kernel writes it when it likes.
    /// </summary>
    public void Start()
    {
        // The first step chooses the place of all, so that the extent is not parted.
        long before = rate.Started;
        long waited = _begin;
        for (long at = _begin; at >= 0 && at < _end && !cancellation.IsCancellationRequested; at += Step)
        {
            long length = Math.Min(Step, _end - at);
            _ = Sys.StartWriteOut(file, at, length);
            rate.Add(length);
            while (waited < at + length && rate.IsBehind && !cancellation.IsCancellationRequested)
            {
                length = Math.Min(Step, _end - waited);
                _ = Sys.WaitForWriteOut(file, waited, length);
                waited += length;
                rate.Reach(before + waited - _begin);
            }
        }

        _begin = -1;
    }

    /// <summary>Waits until what has been started of a range is written, as long as nobody wants to stop.</summary>
    public static void Wait(Descriptor file, long begin, long end, CancellationToken cancellation)
    {
        for (long at = begin; at < end && !cancellation.IsCancellationRequested; at += Step)
        {
            _ = Sys.WaitForWriteOut(file, at, Math.Min(Step, end - at));
        }
    }
}
