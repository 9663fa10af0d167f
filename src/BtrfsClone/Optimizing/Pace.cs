namespace BtrfsClone.Optimizing;

/// <summary>Limits the rate of a stream of bytes, by waiting.</summary>
/// <param name="rate">Bytes per second; null means no limit.</param>
/// <param name="pump">Called while it waits; it may throw to end the work.</param>
internal sealed class Pace(long? rate, Action pump)
{
    private const int LongestWait = 50;

    private double _due;

    /// <summary>Waits until the bytes counted before are within the limit, and counts more.</summary>
    public void Spend(long bytes)
    {
        if (rate is not long perSecond)
        {
            return;
        }

        while (_due > Environment.TickCount64)
        {
            pump();
            Thread.Sleep((int)Math.Clamp(_due - Environment.TickCount64, 1, LongestWait));
        }

        _due = Math.Max(_due, Environment.TickCount64) + (bytes * 1000.0 / perSecond);
    }
}
