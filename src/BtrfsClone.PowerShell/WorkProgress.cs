using System.Diagnostics;
using System.Management.Automation;

namespace BtrfsClone.PowerShell;

/// <summary>A progress bar: nothing for short work, and a few updates a second for long work.</summary>
/// <param name="cmdlet">The cmdlet that writes it.</param>
/// <param name="activity">What is being done.</param>
/// <param name="status">Says what has been done in the time since the beginning.</param>
internal sealed class WorkProgress(Cmdlet cmdlet, string activity, Func<TimeSpan, string> status)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(300);

    private readonly Stopwatch _elapsed = Stopwatch.StartNew();
    private TimeSpan _next = TimeSpan.FromSeconds(1);
    private bool _shown;

    /// <summary>The item that is worked on.</summary>
    public string Item { get; set; } = "";

    /// <summary>How much of the work is done, from 0 to 1, or null where that is not known.</summary>
    public double? Fraction { get; set; }

    /// <summary>How long the rest takes, or null where that is not known.</summary>
    public TimeSpan? TimeLeft { get; set; }

    /// <summary>Shows how far the work has come, when it is time to.</summary>
    public void Tick()
    {
        TimeSpan now = _elapsed.Elapsed;
        if (now < _next)
        {
            return;
        }

        _shown = true;
        cmdlet.WriteProgress(Record(now));

        // A host that draws slowly, at the far end of a network say, holds up the thread that also works.
        TimeSpan end = _elapsed.Elapsed;
        _next = end + Max(Interval, 20 * (end - now));
    }

    /// <summary>Takes the bar away.</summary>
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
