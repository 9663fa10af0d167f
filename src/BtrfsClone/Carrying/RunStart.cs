using System.Diagnostics;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>
/// The moment from which on a filesystem may give room to something else that the run has read already. Where the trees do not
/// tell how old an extent is, its file's change time does: all that was dirty then has got its place, and what is written later
/// changes that time.
/// </summary>
internal sealed class RunStart
{
    // The kernel's clock for files may be behind by a tick, which is 10 ms at most.
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(20);

    private readonly DateTime _time;
    private readonly long _ticks;
    private readonly bool _isKnown;

    private RunStart(DateTime time, bool isKnown) => (_time, _ticks, _isKnown) = (time, Stopwatch.GetTimestamp(), isKnown);

    /// <summary>Takes the time now, and has what is dirty written out.</summary>
    /// <param name="file">A file of the filesystem.</param>
    public static RunStart Take(Descriptor file)
    {
        // What was written just before is to be older than what is written from now on.
        Thread.Sleep(2 * s_tick);
        DateTime time = DateTime.UtcNow;
        return new RunStart(time, Sys.SyncFileSystem(file).Succeeded);
    }

    /// <summary>Whether a file is unchanged since before, and the clock was not set meanwhile.</summary>
    public bool IsAfter(in Statx status)
    {
        DateTime changed = DateTime.UnixEpoch.AddSeconds(status.ChangeTime.Seconds).AddTicks(status.ChangeTime.Nanoseconds / 100);
        TimeSpan drift = DateTime.UtcNow - _time - Stopwatch.GetElapsedTime(_ticks);
        return _isKnown && changed < _time - s_tick && drift > -s_tick / 2;
    }
}
