namespace BtrfsClone.Syncing;

/// <summary>What a <see cref="SyncSession"/> tells while it works.</summary>
public sealed record SyncEvents : SessionEvents
{
    /// <summary>Takes each step but those that keep an entry as it is.</summary>
    public Action<SyncChange>? OnChange { get; init; }
}
