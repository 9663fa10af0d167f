using System.Diagnostics;

namespace BtrfsClone.Cloning;

/// <summary>
/// How many bytes are on their way to the disk, of all files and workers together, and how many may be: what the disk writes in a
/// moment. A disk writes about in the order in which write-out was started, so that whoever waits for bytes has waited for all
/// that were started before.
/// </summary>
internal static class WriteOutRate
{
    private const long Least = 1 << 20;
    private const long Most = 64 << 20;

    // What is on its way may take this long. The rate is that of about half the time.
    private static readonly TimeSpan s_moment = TimeSpan.FromMilliseconds(200);

    private static readonly object s_gate = new();
    private static long s_limit = Least;
    private static long s_started; // Bytes since the process began.
    private static long s_written;
    private static long s_measured; // Those that were written at the last measurement.
    private static long s_measuredAt = Stopwatch.GetTimestamp();

    /// <summary>Bytes that may be on their way.</summary>
    public static long Limit => Volatile.Read(ref s_limit);

    /// <summary>Bytes of which write-out has been started so far.</summary>
    public static long Started => Volatile.Read(ref s_started);

    /// <summary>Whether more is on its way than may be.</summary>
    public static bool IsBehind => Started - Volatile.Read(ref s_written) > Limit;

    /// <summary>Write-out of some bytes was started.</summary>
    public static void Add(long length) => Interlocked.Add(ref s_started, length);

    /// <summary>What was started before a moment is written.</summary>
    /// <param name="started">Bytes that were started by then.</param>
    public static void Reach(long started)
    {
        lock (s_gate)
        {
            if (started <= s_written)
            {
                return;
            }

            s_written = started;
            TimeSpan taken = Stopwatch.GetElapsedTime(s_measuredAt);
            if (taken > s_moment / 2)
            {
                s_limit = Math.Clamp((long)((started - s_measured) * (s_moment / taken)), Least, Most);
                (s_measured, s_measuredAt) = (started, Stopwatch.GetTimestamp());
            }
        }
    }
}
