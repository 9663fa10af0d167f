namespace BtrfsClone.Comparing;

/// <summary>What a <see cref="CompareSession"/> tells while it works.</summary>
public sealed record CompareEvents : SessionEvents
{
    /// <summary>
    /// Takes each file of a tree, and each entry without counterpart; or the file itself. They are compared on one thread.
    /// </summary>
    public Action<CompareResult>? OnEntry { get; init; }
}
