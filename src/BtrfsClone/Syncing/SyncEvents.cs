namespace BtrfsClone.Syncing;

/// <summary>The events of a <see cref="SyncSession"/>.</summary>
public sealed record SyncEvents : SessionEvents
{
    /// <summary>Receives each step except those that keep an entry unchanged.</summary>
    public Action<SyncChange>? OnChange { get; init; }
}
