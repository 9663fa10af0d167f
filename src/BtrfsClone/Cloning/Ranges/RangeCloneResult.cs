namespace BtrfsClone.Cloning;

/// <summary>One range that was cloned. Offsets and lengths are bytes.</summary>
public sealed class RangeCloneResult : ItemResult
{
    /// <summary>The file that holds the clone.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>The file that the range was cloned from.</summary>
    public string Source { get; internal init; } = "";

    /// <summary>Where the range begins in the source.</summary>
    public long Offset { get; internal init; }

    /// <summary>How long the range is; a range up to the end of the source ends there, inside its last block.</summary>
    public long Length { get; internal init; }

    /// <summary>Where the range begins in <see cref="Path"/>.</summary>
    public long DestinationOffset { get; internal init; }
}
