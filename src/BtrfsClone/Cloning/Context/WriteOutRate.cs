using System.Diagnostics;

namespace BtrfsClone.Cloning;

/// <summary>
/// How many bytes are on their way to the disk, of all files and workers of an invocation, and how many may be: what the disk
/// writes in a moment. A disk writes about in the order in which write-out was started, so that whoever waits for bytes has
/// waited for all that were started before.
/// </summary>
internal sealed class WriteOutRate
{
    private const long Least = 1 << 20;
    private const long Most = 64 << 20;

    // What is on its way may take this long. The rate is that of about half the time.
    private static readonly TimeSpan s_moment = TimeSpan.FromMilliseconds(200);

    private readonly object _gate = new();
    private long _limit = Least;
    private long _started;
    private long _written;
    private long _measured; // Those that were written at the last measurement.
    private long _measuredAt = Stopwatch.GetTimestamp();

    /// <summary>Bytes that may be on their way.</summary>
    public long Limit => Volatile.Read(ref _limit);

    /// <summary>Bytes of which write-out has been started so far.</summary>
    public long Started => Volatile.Read(ref _started);

    /// <summary>Whether more is on its way than may be.</summary>
    public bool IsBehind => Started - Volatile.Read(ref _written) > Limit;

    /// <summary>Write-out of some bytes was started.</summary>
    public void Add(long length) => Interlocked.Add(ref _started, length);

    /// <summary>What was started before a moment is written.</summary>
    /// <param name="started">Bytes that were started by then.</param>
    public void Reach(long started)
    {
        lock (_gate)
        {
            if (started <= _written)
            {
                return;
            }

            _written = started;
            TimeSpan taken = Stopwatch.GetElapsedTime(_measuredAt);
            if (taken > s_moment / 2)
            {
                _limit = Math.Clamp((long)((started - _measured) * (s_moment / taken)), Least, Most);
                (_measured, _measuredAt) = (started, Stopwatch.GetTimestamp());
            }
        }
    }
}
