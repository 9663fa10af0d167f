using BtrfsClone.Cloning;

namespace BtrfsClone.Syncing;

/// <summary>When a destination file is considered equal to its source.</summary>
public enum SyncCheck
{
    /// <summary>If its data has the same disk addresses, which proves that it is equal, regardless of times. No data is read.</summary>
    Extent,

    /// <summary>If size and modification time are equal, as in rsync.</summary>
    Time,
}

/// <summary>Options of a sync.</summary>
public sealed record SyncOptions
{
    /// <summary>
    /// Remove entries that the source does not have, after everything else, and allow entries to be replaced by entries of another
    /// type.
    /// </summary>
    public bool Delete { get; init; }

    /// <summary>When a file is considered equal.</summary>
    public SyncCheck Check { get; init; }

    /// <summary>
    /// Change files in place, so that processes that have one open see the changes; a reader may see it half changed. By default a
    /// file is replaced atomically.
    /// </summary>
    public bool InPlace { get; init; }

    /// <summary>What to do with content that cannot be cloned.</summary>
    public ReflinkMode Reflink { get; init; }

    /// <summary>Read the source as it was at one point in time; see <see cref="CloneOptions.PointInTime"/>.</summary>
    public bool PointInTime { get; init; }

    /// <summary>
    /// With <see cref="PointInTime"/>: if no snapshot may be taken, read the source directly; see
    /// <see cref="CloneOptions.PerFile"/>.
    /// </summary>
    public bool PerFile { get; init; }

    /// <summary>Skip other filesystems that are mounted below the source; see <see cref="CloneOptions.OneFileSystem"/>.</summary>
    public bool OneFileSystem { get; init; }

    /// <summary>Change nothing, and only report what would be done.</summary>
    public bool DryRun { get; init; }

    /// <summary>The number of threads, up to <see cref="CloneOptions.MaxWorkers"/>; 0 uses one per processor.</summary>
    public int Workers { get; init; }

    /// <summary>Which entries are included; excluded entries are neither copied nor removed. Null includes all.</summary>
    public EntryFilter? Filter { get; init; }

    /// <summary>
    /// Identifies the filter, for example by its patterns. The next sync only examines what has changed since this one if it has
    /// the same filter.
    /// </summary>
    public string FilterText { get; init; } = "";
}
