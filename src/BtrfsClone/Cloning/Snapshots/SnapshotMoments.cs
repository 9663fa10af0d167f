namespace BtrfsClone.Cloning;

/// <summary>The number of snapshots taken, and the time between them.</summary>
internal sealed class SnapshotMoments
{
    private TimeSpan _first = TimeSpan.MaxValue;
    private TimeSpan _last = TimeSpan.MinValue;

    public int Count { get; private set; }

    /// <summary>The time between the first and the last snapshot.</summary>
    public TimeSpan Spread => Count == 0 ? TimeSpan.Zero : _last - _first;

    public void Add(TimeSpan moment) => Add(1, moment, moment);

    public void Add(SnapshotMoments others) => Add(others.Count, others._first, others._last);

    private void Add(int count, TimeSpan first, TimeSpan last)
    {
        Count += count;
        _first = first < _first ? first : _first;
        _last = last > _last ? last : _last;
    }
}
