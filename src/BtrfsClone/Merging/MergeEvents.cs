using BtrfsClone.Walking;

namespace BtrfsClone.Merging;

/// <summary>The events of a <see cref="MergeSession"/>.</summary>
public sealed record MergeEvents : SessionEvents
{
    /// <summary>Receives the result for each file that exists on both sides.</summary>
    public required Action<MergeResult> OnResult { get; init; }

    /// <summary>Receives the path of each entry that exists in one tree only, or has another type in the other.</summary>
    public Action<string, PairGap>? OnGap { get; init; }
}
