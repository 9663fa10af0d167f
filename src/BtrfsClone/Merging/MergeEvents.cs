using BtrfsClone.Walking;

namespace BtrfsClone.Merging;

/// <summary>What a <see cref="MergeSession"/> tells while it works.</summary>
public sealed record MergeEvents : SessionEvents
{
    /// <summary>Takes what came of each file that both sides have.</summary>
    public required Action<MergeResult> OnResult { get; init; }

    /// <summary>Takes the path of what only one tree has, or has as something else.</summary>
    public Action<string, PairGap>? OnGap { get; init; }
}
