using BtrfsClone.Extents;

namespace BtrfsClone.Measuring;

/// <summary>Options of a measurement.</summary>
public sealed record MeasureOptions
{
    /// <summary>
    /// Whether <see cref="MeasureSession.Reclaim"/> is to compute what would be freed. Requires CAP_SYS_ADMIN and btrfs, without
    /// which each item fails, and first writes delayed data of the filesystem to disk (syncfs(2)).
    /// </summary>
    public bool Reclaimable { get; init; }

    /// <summary>
    /// Records the usage of each file and directory, in addition to that of the items; null if it is not needed. If set, with
    /// <see cref="Reclaimable"/>, <see cref="MeasureSession.CountExtents"/> reports who holds each extent, not
    /// <see cref="MeasureSession.Reclaim"/>.
    /// </summary>
    internal IUsageLedger? Ledger { get; init; }

    /// <summary>
    /// The maximum number of extents, and of runs of shared bytes on disk, kept in memory. If it is exceeded, measuring ends with
    /// an <see cref="InsufficientMemoryException"/>.
    /// </summary>
    internal int MostExtents { get; init; } = int.MaxValue;

    /// <summary>The source of extent information, to measure as a caller that may not read the trees.</summary>
    internal ExtentSource Source { get; init; }
}
