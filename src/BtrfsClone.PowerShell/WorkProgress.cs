using System.Diagnostics;
using System.Management.Automation;

namespace BtrfsClone.PowerShell;

/// <summary>A progress bar: not shown for short work, and updated a few times per second for long work.</summary>
/// <param name="cmdlet">The cmdlet that writes it.</param>
/// <param name="activity">The activity to show.</param>
/// <param name="status">Describes what was done in the elapsed time.</param>
internal sealed class WorkProgress(Cmdlet cmdlet, string activity, Func<TimeSpan, string> status)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(300);

    private readonly Stopwatch _elapsed = Stopwatch.StartNew();
    private TimeSpan _next = TimeSpan.FromSeconds(1);
    private bool _shown;

    /// <summary>The current item.</summary>
    public string Item { get; set; } = "";

    /// <summary>The completed fraction of the work, from 0 to 1, or null if it is unknown.</summary>
    public double? Fraction { get; set; }

    /// <summary>The remaining time, or null if it is unknown.</summary>
    public TimeSpan? TimeLeft { get; set; }

    /// <summary>Shows the progress, if it is time to.</summary>
    public void Tick()
    {
        TimeSpan now = _elapsed.Elapsed;
        if (now < _next)
        {
            return;
        }

        _shown = true;
        cmdlet.WriteProgress(Record(now));

        // A host that draws slowly, for example over a network, blocks the thread that also works.
        TimeSpan end = _elapsed.Elapsed;
        _next = end + Max(Interval, 20 * (end - now));
    }

    /// <summary>Removes the bar.</summary>
    public void Complete()
    {
        if (_shown)
        {
            ProgressRecord record = Record(_elapsed.Elapsed);
            record.RecordType = ProgressRecordType.Completed;
            cmdlet.WriteProgress(record);
        }
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private ProgressRecord Record(TimeSpan now) => new(0, activity, status(now))
    {
        CurrentOperation = PathText.Printable(Item),
        PercentComplete = Fraction is double fraction ? (int)(fraction * 100) : -1,
        SecondsRemaining = TimeLeft is TimeSpan left ? (int)Math.Min(left.TotalSeconds, int.MaxValue) : -1,
    };
}
