using BtrfsClone.Extents;

namespace BtrfsClone.Measuring;

/// <summary>How an invocation measures.</summary>
public sealed record MeasureOptions
{
    /// <summary>
    /// Whether <see cref="MeasureSession.Reclaim"/> is to tell what would come free. It needs CAP_SYS_ADMIN and btrfs, without
    /// which each item fails, and begins by writing out what is delayed on the filesystem (syncfs(2)).
    /// </summary>
    public bool Reclaimable { get; init; }

    /// <summary>
    /// Keeps what each file and directory uses, beside what the items do; null where nobody asks. Then, with
    /// <see cref="Reclaimable"/>, <see cref="MeasureSession.CountExtents"/> tells who holds each extent, and not
    /// <see cref="MeasureSession.Reclaim"/>.
    /// </summary>
    internal IUsageLedger? Ledger { get; init; }

    /// <summary>
    /// How many extents, and runs of shared bytes on disk, may be kept in memory. With more, measuring ends with an
    /// <see cref="InsufficientMemoryException"/>.
    /// </summary>
    internal int MostExtents { get; init; } = int.MaxValue;

    /// <summary>Where to read from; for measuring as those do who may not read the trees.</summary>
    internal ExtentSource Source { get; init; }
}
