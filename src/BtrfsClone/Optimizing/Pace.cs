namespace BtrfsClone.Optimizing;

/// <summary>Holds a flow of bytes to a rate, by waiting.</summary>
/// <param name="rate">Bytes a second; null is any rate.</param>
/// <param name="pump">Is called while it waits; it may end the work by an exception.</param>
internal sealed class Pace(long? rate, Action pump)
{
    private const int LongestWait = 50;

    private double _due;

    /// <summary>Waits until what was spent before is within the rate, and spends.</summary>
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
