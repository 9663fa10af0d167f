namespace BtrfsClone.Measuring;

/// <summary>What would be freed if an item were deleted together with all of certain others, but not without any one of them.</summary>
public sealed class ReclaimableGroup
{
    /// <summary>Bytes of data.</summary>
    public long Length { get; internal init; }

    /// <summary>The paths of the other items.</summary>
    public IReadOnlyList<string> With { get; internal init; } = [];
}
