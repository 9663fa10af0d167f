using BtrfsClone.Cloning;

namespace BtrfsClone.Syncing;

/// <summary>When a file of the destination is taken for equal to its source.</summary>
public enum SyncCheck
{
    /// <summary>
    /// When its data lie in the same places, which proves that they are the same, whatever the times say. No data are read.
    /// </summary>
    Extent,

    /// <summary>When size and modification time are the same, as rsync does.</summary>
    Time,
}

/// <summary>How a destination is brought up to its source.</summary>
public sealed record SyncOptions
{
    /// <summary>
    /// Remove what the source has not, after everything else, and let entries of one type take the places of entries of
    /// another.
    /// </summary>
    public bool Delete { get; init; }

    /// <summary>When a file is taken for equal.</summary>
    public SyncCheck Check { get; init; }

    /// <summary>
    /// Change files where they are, so that whoever has one open goes on with it; a reader may see it half changed. By
    /// default a file is replaced in one step.
    /// </summary>
    public bool InPlace { get; init; }

    /// <summary>What becomes of content that cannot be cloned.</summary>
    public ReflinkMode Reflink { get; init; }

    /// <summary>Read the source as it stood at one moment; see <see cref="CloneOptions.PointInTime"/>.</summary>
    public bool PointInTime { get; init; }

    /// <summary>
    /// With <see cref="PointInTime"/>: read as it is what no snapshot may be taken of; see <see cref="CloneOptions.PerFile"/>.
    /// </summary>
    public bool PerFile { get; init; }

    /// <summary>Leave out other filesystems that are mounted below the source; see <see cref="CloneOptions.OneFileSystem"/>.</summary>
    public bool OneFileSystem { get; init; }

    /// <summary>Change nothing, and only tell what would be done.</summary>
    public bool DryRun { get; init; }

    /// <summary>How many threads work, up to <see cref="CloneOptions.MaxWorkers"/>; 0 takes one for each processor.</summary>
    public int Workers { get; init; }

    /// <summary>Which entries take part; what does not is neither copied nor removed. All do without a filter.</summary>
    public EntryFilter? Filter { get; init; }

    /// <summary>
    /// What names the filter for the next sync, which looks only at what has changed since this one if it has the same
    /// filter: its patterns, say.
    /// </summary>
    public string FilterText { get; init; } = "";
}
