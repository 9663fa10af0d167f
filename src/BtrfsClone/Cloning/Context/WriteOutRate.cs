using System.Diagnostics;

namespace BtrfsClone.Cloning;

/// <summary>
/// How many bytes are under writeback, for all files and workers of an invocation, and how many may be: what the disk writes in a
/// short time. A disk writes roughly in the order in which writeback was started, so waiting for some bytes means waiting for all
/// that were started before.
/// </summary>
internal sealed class WriteOutRate
{
    private const long Least = 1 << 20;
    private const long Most = 64 << 20;

    // Writeback of all bytes may take this long. The rate is measured over about half of this time.
    private static readonly TimeSpan s_moment = TimeSpan.FromMilliseconds(200);

    private readonly object _gate = new();
    private long _limit = Least;
    private long _started;
    private long _written;
    private long _measured; // The bytes written at the last measurement.
    private long _measuredAt = Stopwatch.GetTimestamp();

    /// <summary>The maximum number of bytes under writeback.</summary>
    public long Limit => Volatile.Read(ref _limit);

    /// <summary>The total number of bytes whose writeback has been started.</summary>
    public long Started => Volatile.Read(ref _started);

    /// <summary>Whether more bytes are under writeback than allowed.</summary>
    public bool IsBehind => Started - Volatile.Read(ref _written) > Limit;

    /// <summary>Writeback of some bytes was started.</summary>
    public void Add(long length) => Interlocked.Add(ref _started, length);

    /// <summary>Everything that was started before a certain time is written.</summary>
    /// <param name="started">The total number of bytes that had been started by then.</param>
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
