using BtrfsClone.Walking;

namespace BtrfsClone.Merging;

/// <summary>Receives results for entries, on any thread: they are counted, and reported on the session's thread.</summary>
internal sealed class MergeReport(MergeEvents events)
{
    private readonly EventPump _pump = new(events);

    public MergeCounters Counters { get; } = new();

    public void Add(MergeResult result) => _pump.Post(() => events.OnResult(result));

    public void AddGap(string path, PairGap gap)
    {
        if (events.OnGap is { } onGap)
        {
            _pump.Post(() => onGap(path, gap));
        }
    }

    public void AddFailure(BtrfsException failure)
    {
        Counters.AddFailed();
        _pump.Report(failure);
    }

    /// <inheritdoc cref="EventPump.TellPassedOver"/>
    public void TellPassedOver(string path, OtherFileSystem mounted) => _pump.TellPassedOver(path, mounted);

    /// <inheritdoc cref="EventPump.Pump"/>
    public void Pump() => _pump.Pump();

    /// <inheritdoc cref="EventPump.Drain"/>
    public void Drain() => _pump.Drain();
}
