namespace BtrfsClone.Cloning;

/// <summary>One range that was cloned. Offsets and lengths are in bytes.</summary>
public sealed class RangeCloneResult : ItemResult
{
    /// <summary>The file that contains the clone.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>The file that the range was cloned from.</summary>
    public string Source { get; internal init; } = "";

    /// <summary>The start of the range in the source.</summary>
    public long Offset { get; internal init; }

    /// <summary>The length of the range; a range up to the end of the source ends there, inside its last block.</summary>
    public long Length { get; internal init; }

    /// <summary>The start of the range in <see cref="Path"/>.</summary>
    public long DestinationOffset { get; internal init; }
}
