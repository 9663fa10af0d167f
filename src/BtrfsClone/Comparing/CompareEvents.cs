namespace BtrfsClone.Comparing;

/// <summary>The events of a <see cref="CompareSession"/>.</summary>
public sealed record CompareEvents : SessionEvents
{
    /// <summary>
    /// Receives the result for each file of a tree, and for each entry without counterpart; or for the single file. The comparison
    /// then uses one thread.
    /// </summary>
    public Action<CompareResult>? OnEntry { get; init; }
}
