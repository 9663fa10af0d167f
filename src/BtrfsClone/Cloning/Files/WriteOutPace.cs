using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Starts writeback of data written to one file, and waits for it while the total under writeback exceeds what the disk writes in a
/// short time (<see cref="WriteOutRate"/>): neither removing an unfinished file nor the end of the process can be cancelled, and
/// both wait for writeback.
/// </summary>
internal struct WriteOutPace(Descriptor file, WriteOutRate rate, CancellationToken cancellation)
{
    // The number of bytes written before their writeback is started: the maximum size of a btrfs extent (BTRFS_MAX_EXTENT_SIZE),
    // which would otherwise be split.
    private const long Started = 128 << 20;

    // The number of bytes that one call starts or waits for.
    private const long Step = 1 << 20;

    private long _begin = -1;
    private long _end;

    /// <summary>Called after data has been written, in file order.</summary>
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
    /// Starts writeback of all data written so far: what follows gets an extent of its own. If this fails, nothing is lost: the
    /// kernel writes it at some time.
    /// </summary>
    public void Start()
    {
        // The first step allocates the space for everything, so that the extent is not split.
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

    /// <summary>Waits until the started part of a range is written, unless cancelled.</summary>
    public static void Wait(Descriptor file, long begin, long end, CancellationToken cancellation)
    {
        for (long at = begin; at < end && !cancellation.IsCancellationRequested; at += Step)
        {
            _ = Sys.WaitForWriteOut(file, at, Math.Min(Step, end - at));
        }
    }
}
