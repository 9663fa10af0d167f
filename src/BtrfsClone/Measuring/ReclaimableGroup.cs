namespace BtrfsClone.Measuring;

/// <summary>What would come free if an item were deleted together with others, and not without one of them.</summary>
public sealed record ReclaimableGroup
{
    /// <summary>Bytes of data.</summary>
    public required long Length { get; init; }

    /// <summary>The paths of the other items.</summary>
    public required IReadOnlyList<string> With { get; init; }
}
