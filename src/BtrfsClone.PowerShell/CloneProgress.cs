using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using BtrfsClone.Cloning;

namespace BtrfsClone.PowerShell;

/// <summary>The progress bar of one clone: nothing for short work, and a few updates a second for long work.</summary>
/// <param name="cmdlet">The cmdlet that writes it.</param>
/// <param name="counters">What has been done so far.</param>
internal sealed class CloneProgress(Cmdlet cmdlet, CloneCounters counters)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(300);

    private readonly Stopwatch _elapsed = Stopwatch.StartNew();
    private TimeSpan _next = TimeSpan.FromSeconds(1);
    private bool _shown;

    /// <summary>The item that is being cloned.</summary>
    public string Item { get; set; } = "";

    /// <summary>Shows how far the work has come, when it is time to.</summary>
    public void Tick()
    {
        TimeSpan now = _elapsed.Elapsed;
        if (now < _next)
        {
            return;
        }

        _next = now + Interval;
        _shown = true;
        cmdlet.WriteProgress(Record(now));
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

    private ProgressRecord Record(TimeSpan now)
    {
        long files = counters.Files;
        string status = string.Create(
            CultureInfo.CurrentCulture,
            $"{files:N0} files, {counters.Length / 1e6:N1} MB, {files / now.TotalSeconds:N0} files/s");
        return new ProgressRecord(0, "Cloning", status) { CurrentOperation = Item };
    }
}
