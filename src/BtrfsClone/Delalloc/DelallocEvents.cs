namespace BtrfsClone.Delalloc;

/// <summary>The events of a <see cref="DelallocSession"/>.</summary>
public sealed record DelallocEvents : SessionEvents
{
    /// <summary>
    /// Receives each item without failures, in the order in which they were added. An item with a failure is not reported here,
    /// though the rest of it is waited for.
    /// </summary>
    public Action<DelallocItem>? OnQuiet { get; init; }
}
