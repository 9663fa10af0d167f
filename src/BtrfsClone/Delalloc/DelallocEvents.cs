namespace BtrfsClone.Delalloc;

/// <summary>What a <see cref="DelallocSession"/> tells while it works.</summary>
public sealed record DelallocEvents : SessionEvents
{
    /// <summary>
    /// Takes each item of which nothing failed, in the order in which they were added. One of which something failed is
    /// not given to it, though the rest of it is waited for.
    /// </summary>
    public Action<DelallocItem>? OnQuiet { get; init; }
}
