using System.Collections.Concurrent;

namespace BtrfsClone.Measuring;

/// <summary>
/// What the workers that measure one item share: what was met already. Only this grows with what is measured: by 11 to
/// 32 bytes for each extent that is not known to have one reference only, 16 for each run of shared bytes on disk, and
/// a few words for each file with several names.
/// </summary>
internal sealed class UsageShared
{
    private readonly HashSet<(ulong Device, ulong Inode)> _severalNames = [];
    private long _files;

    public CancellationToken Cancellation { get; private set; }

    public ConcurrentQueue<BtrfsException> Failures { get; } = new();

    /// <summary>Lock it.</summary>
    public ExtentSet Extents { get; } = new();

    /// <summary>Lock it.</summary>
    public RangeSet SharedRanges { get; } = new();

    /// <summary>How many files have been counted.</summary>
    public long Files => Interlocked.Read(ref _files);

    /// <summary>Begins with an item.</summary>
    public void Start(CancellationToken cancellation)
    {
        Cancellation = cancellation;
        _files = 0;
        _severalNames.Clear();
        Extents.Clear();
        SharedRanges.Clear();
    }

    public void AddFile() => Interlocked.Increment(ref _files);

    /// <summary>Whether a file with several names is met for the first time.</summary>
    public bool IsFirst(ulong device, ulong inode)
    {
        lock (_severalNames)
        {
            return _severalNames.Add((device, inode));
        }
    }
}
