namespace BtrfsClone.Optimizing;

/// <summary>Options of an optimization.</summary>
public sealed record OptimizeOptions
{
    /// <summary>The kernel's default for BTRFS_IOC_DEFRAG_RANGE (fs/btrfs/defrag.c).</summary>
    public const long DefaultTargetExtentSize = 256 << 10;

    /// <summary>Only report what would be freed, and write nothing.</summary>
    public bool Preview { get; init; }

    /// <summary>
    /// An extent is replaced only if this frees at least this many bytes, at least 1. Null means one hundredth of the bytes to
    /// write.
    /// </summary>
    public long? MinimumGain { get; init; }

    /// <summary>
    /// Extents with fewer bytes in use are joined with the extent that all files using them use next, if that is also small or is
    /// replaced anyway. 0 disables joining. Compressed extents are joined up to 128 KiB.
    /// </summary>
    public long TargetExtentSize { get; init; } = DefaultTargetExtentSize;

    /// <summary>The maximum number of bytes read per second, and of bytes written per second, at least 1; null is unlimited.</summary>
    public long? MaximumRate { get; init; }

    /// <summary>Whether a gain justifies writing this many bytes.</summary>
    internal bool IsWorth(long gain, long written) => gain > 0 && gain >= (MinimumGain ?? (written + 99) / 100);
}
