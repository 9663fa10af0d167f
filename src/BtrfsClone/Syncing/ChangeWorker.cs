namespace BtrfsClone.Syncing;

/// <summary>What one thread of a round works with.</summary>
/// <param name="sync">Its memory.</param>
/// <param name="top">The tops, open.</param>
/// <param name="pump">Lets the front end work, on the thread that may.</param>
internal sealed class ChangeWorker(SyncWorker sync, SyncPair top, Action? pump)
{
    public SyncWorker Sync => sync;

    public NameComparer Names { get; } = new(top);

    public Action? Pump => pump;
}
