namespace BtrfsClone.Cloning;

/// <summary>One range that was cloned. Offsets and lengths are bytes.</summary>
public sealed record RangeCloneResult
{
    /// <summary>The file that holds the clone.</summary>
    public required string Path { get; init; }

    /// <summary>The file that the range was cloned from.</summary>
    public required string Source { get; init; }

    /// <summary>Where the range begins in the source.</summary>
    public required long Offset { get; init; }

    /// <summary>How long the range is; a range up to the end of the source ends there, inside its last block.</summary>
    public required long Length { get; init; }

    /// <summary>Where the range begins in <see cref="Path"/>.</summary>
    public required long DestinationOffset { get; init; }
}
