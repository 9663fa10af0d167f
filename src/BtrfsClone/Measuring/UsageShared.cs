using BtrfsClone.Walking;

namespace BtrfsClone.Measuring;

/// <summary>
/// What the workers that measure one item share: what was already counted. Only this grows with what is measured: by 11 to 32 bytes
/// for each extent that is not known to have only one reference, 16 for each run of shared bytes on disk, and a few words for each
/// file with several names.
/// </summary>
internal sealed class UsageShared(SessionEvents events, int mostExtents)
{
    private readonly EventPump _pump = new(events);
    private readonly HashSet<(ulong Device, ulong Inode)> _severalNames = [];
    private long _files;
    private long _failed;

    public CancellationToken Cancellation { get; private set; }

    /// <summary>Where the item's references are collected; null if reclaimable space is not needed.</summary>
    public ReclaimItem? Reclaim { get; set; }

    /// <summary>Records the usage of each file and directory; null if it is not needed.</summary>
    public IUsageLedger? Ledger { get; init; }

    /// <summary>The number of failures.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Must be locked by users.</summary>
    public ExtentSet Extents { get; } = new(mostExtents);

    /// <summary>Must be locked by users.</summary>
    public RangeSet SharedRanges { get; } = new(mostExtents);

    /// <summary>The number of files counted.</summary>
    public long Files => Interlocked.Read(ref _files);

    /// <summary>Starts an item.</summary>
    public void Start(CancellationToken cancellation)
    {
        Cancellation = cancellation;
        _files = _failed = 0;
        _severalNames.Clear();
        Extents.Clear();
        SharedRanges.Clear();
    }

    public void AddFile() => Interlocked.Increment(ref _files);

    /// <summary>Counts and queues a failure; callable on any thread.</summary>
    public void Report(BtrfsException failure)
    {
        Interlocked.Increment(ref _failed);
        _pump.Report(failure);
    }

    /// <summary>Queues a directory that another filesystem is mounted on; callable on any thread.</summary>
    public void TellPassedOver(string path) => _pump.TellPassedOver(path, OtherFileSystem.Storage);

    /// <inheritdoc cref="EventPump.Pump"/>
    public void Pump() => _pump.Pump();

    /// <inheritdoc cref="EventPump.Drain"/>
    public void Drain() => _pump.Drain();

    /// <summary>Whether a file with several names is encountered for the first time.</summary>
    public bool IsFirst(ulong device, ulong inode)
    {
        lock (_severalNames)
        {
            return _severalNames.Add((device, inode));
        }
    }
}
