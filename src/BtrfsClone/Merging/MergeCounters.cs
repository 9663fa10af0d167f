namespace BtrfsClone.Merging;

/// <summary>Running totals of one invocation. Lengths are bytes.</summary>
public sealed class MergeCounters
{
    /// <summary>Files that both sides have and that were looked at to their end.</summary>
    public long Files { get; internal set; }

    /// <inheritdoc cref="MergeResult.DedupedLength"/>
    public long DedupedLength { get; internal set; }

    /// <inheritdoc cref="MergeResult.SameLength"/>
    public long SameLength { get; internal set; }

    /// <inheritdoc cref="MergeResult.DifferentLength"/>
    public long DifferentLength { get; internal set; }

    /// <summary>
    /// The part of <see cref="DedupedLength"/> that nothing else used: what was freed, once it is whole extents.
    /// Compressed extents take less.
    /// </summary>
    public long UnsharedLength { get; internal set; }

    /// <summary>What failed; each was reported on its own.</summary>
    public long Failed { get; internal set; }

    /// <summary>All bytes that were looked at.</summary>
    public long Length => DedupedLength + SameLength + DifferentLength;
}
