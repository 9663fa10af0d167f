namespace BtrfsClone.Syncing;

/// <summary>The state of one thread of a round.</summary>
/// <param name="sync">Its buffers.</param>
/// <param name="top">The top directories, open.</param>
/// <param name="pump">Raises pending events, on the thread that may do so.</param>
internal sealed class ChangeWorker(SyncWorker sync, SyncPair top, Action? pump)
{
    public SyncWorker Sync => sync;

    public NameComparer Names { get; } = new(top);

    public Action? Pump => pump;
}
