namespace BtrfsClone.Optimizing;

/// <summary>How an invocation optimizes.</summary>
public sealed record OptimizeOptions
{
    /// <summary>What the kernel takes for BTRFS_IOC_DEFRAG_RANGE where nothing is said (fs/btrfs/defrag.c).</summary>
    public const long DefaultTargetExtentSize = 256 << 10;

    /// <summary>Only tells what would come free, and writes nothing.</summary>
    public bool Preview { get; init; }

    /// <summary>
    /// An extent is replaced only where that gives back as many bytes, at least 1. Null is a hundredth of what has to be written
    /// for it.
    /// </summary>
    public long? MinimumGain { get; init; }

    /// <summary>
    /// Extents of which fewer bytes are in use are joined with what all files that use them use next, where that is such an extent,
    /// too, or is replaced anyway. 0 joins nothing. Compressed extents are joined up to 128 KiB.
    /// </summary>
    public long TargetExtentSize { get; init; } = DefaultTargetExtentSize;

    /// <summary>The most bytes a second that are read, and the most that are written, at least 1; null is as fast as it can be.</summary>
    public long? MaximumRate { get; init; }

    /// <summary>Whether a gain is worth writing so many bytes.</summary>
    internal bool IsWorth(long gain, long written) => gain > 0 && gain >= (MinimumGain ?? (written + 99) / 100);
}
