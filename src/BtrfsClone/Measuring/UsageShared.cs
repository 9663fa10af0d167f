using BtrfsClone.Walking;

namespace BtrfsClone.Measuring;

/// <summary>
/// What the workers that measure one item share: what was met already. Only this grows with what is measured: by 11 to
/// 32 bytes for each extent that is not known to have one reference only, 16 for each run of shared bytes on disk, and
/// a few words for each file with several names.
/// </summary>
internal sealed class UsageShared(SessionEvents events, int mostExtents)
{
    private readonly EventPump _pump = new(events);
    private readonly HashSet<(ulong Device, ulong Inode)> _severalNames = [];
    private long _files;
    private long _failed;

    public CancellationToken Cancellation { get; private set; }

    /// <summary>Where the item's references are gathered; null where nobody asks what would come free.</summary>
    public ReclaimItem? Reclaim { get; set; }

    /// <summary>Keeps what each file and directory uses; null where nobody asks.</summary>
    public IUsageLedger? Ledger { get; init; }

    /// <summary>How many failures there were.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Lock it.</summary>
    public ExtentSet Extents { get; } = new(mostExtents);

    /// <summary>Lock it.</summary>
    public RangeSet SharedRanges { get; } = new(mostExtents);

    /// <summary>How many files have been counted.</summary>
    public long Files => Interlocked.Read(ref _files);

    /// <summary>Begins with an item.</summary>
    public void Start(CancellationToken cancellation)
    {
        Cancellation = cancellation;
        _files = _failed = 0;
        _severalNames.Clear();
        Extents.Clear();
        SharedRanges.Clear();
    }

    public void AddFile() => Interlocked.Increment(ref _files);

    /// <summary>Counts and keeps a failure; on any thread.</summary>
    public void Report(BtrfsException failure)
    {
        Interlocked.Increment(ref _failed);
        _pump.Report(failure);
    }

    /// <summary>Keeps a directory that another filesystem is mounted on; on any thread.</summary>
    public void TellPassedOver(string path) => _pump.TellPassedOver(path, OtherFileSystem.Storage);

    /// <inheritdoc cref="EventPump.Pump"/>
    public void Pump() => _pump.Pump();

    /// <inheritdoc cref="EventPump.Drain"/>
    public void Drain() => _pump.Drain();

    /// <summary>Whether a file with several names is met for the first time.</summary>
    public bool IsFirst(ulong device, ulong inode)
    {
        lock (_severalNames)
        {
            return _severalNames.Add((device, inode));
        }
    }
}
