using System.Diagnostics;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>
/// The time from which on a filesystem may reuse space whose data the run has already read. If the trees do not give the age of an
/// extent, its file's change time does: all data that was dirty by then has its address, and later writes change that time.
/// </summary>
internal sealed class RunStart
{
    // The kernel's clock for file times may be behind by one tick, which is at most 10 ms.
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(20);

    private readonly DateTime _time;
    private readonly long _ticks;
    private readonly bool _isKnown;

    private RunStart(DateTime time, bool isKnown) => (_time, _ticks, _isKnown) = (time, Stopwatch.GetTimestamp(), isKnown);

    /// <summary>Takes the current time, and writes dirty data to disk.</summary>
    /// <param name="file">A file on the filesystem.</param>
    public static RunStart Take(Descriptor file)
    {
        // Data written just before must be older than data written from now on.
        Thread.Sleep(2 * s_tick);
        DateTime time = DateTime.UtcNow;
        return new RunStart(time, Sys.SyncFileSystem(file).Succeeded);
    }

    /// <summary>Whether a file is unchanged since before, and the clock was not set in the meantime.</summary>
    public bool IsAfter(in Statx status)
    {
        DateTime changed = DateTime.UnixEpoch.AddSeconds(status.ChangeTime.Seconds).AddTicks(status.ChangeTime.Nanoseconds / 100);
        TimeSpan drift = DateTime.UtcNow - _time - Stopwatch.GetElapsedTime(_ticks);
        return _isKnown && changed < _time - s_tick && drift > -s_tick / 2;
    }
}
