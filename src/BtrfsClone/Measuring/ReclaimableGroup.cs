namespace BtrfsClone.Measuring;

/// <summary>What would come free if an item were deleted together with others, and not without one of them.</summary>
public sealed class ReclaimableGroup
{
    /// <summary>Bytes of data.</summary>
    public long Length { get; internal init; }

    /// <summary>The paths of the other items.</summary>
    public IReadOnlyList<string> With { get; internal init; } = [];
}
