using System.Diagnostics;
using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Starts write-out of what is written to one file, and waits for it while more than the disk writes in a moment is on its way:
/// neither removing an unfinished file nor the end of the process can be cancelled, and both wait for that.
/// </summary>
internal struct WriteOutPace(Descriptor file, CancellationToken cancellation)
{
    // Bytes that are written before their write-out is started: as many as an extent of btrfs holds (BTRFS_MAX_EXTENT_SIZE),
    // which would be parted by it.
    private const long Started = 128 << 20;

    // Bytes that one call starts or waits for, and how long that may take until fewer are let on their way, or has to.
    private const long Step = 1 << 20;
    private static readonly TimeSpan s_slow = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_fast = TimeSpan.FromMilliseconds(5);

    private const long LeastBehind = Step;
    private const long MostBehind = 64 << 20;

    // What the disk can take is learned once, for all files: most are too short to learn it from.
    private static long s_behind = 4 << 20;

    /// <summary>Bytes that may be on their way to the disk, as far as it is known what that writes in a moment.</summary>
    public static long Behind => Volatile.Read(ref s_behind);

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
        long waited = _begin;
        for (long at = _begin; at >= 0 && at < _end && !cancellation.IsCancellationRequested; at += Step)
        {
            _ = Sys.StartWriteOut(file, at, Math.Min(Step, _end - at));
            for (; at + Step - waited > Behind && !cancellation.IsCancellationRequested; waited += Step)
            {
                Wait(file, waited, Math.Min(Step, _end - waited));
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

    private static void Wait(Descriptor file, long offset, long length)
    {
        long begin = Stopwatch.GetTimestamp();
        _ = Sys.WaitForWriteOut(file, offset, length);
        Learn(Stopwatch.GetElapsedTime(begin));
    }

    /// <summary>Learns from how long it took until some bytes were written that had been started.</summary>
    public static void Learn(long length, TimeSpan taken)
    {
        if (length >= Step)
        {
            Learn(taken * ((double)Step / length));
        }
    }

    private static void Learn(TimeSpan taken)
    {
        long behind = Behind;
        Volatile.Write(
            ref s_behind,
            taken > s_slow ? Math.Max(behind / 2, LeastBehind) : taken < s_fast ? Math.Min(behind * 2, MostBehind) : behind);
    }
}
