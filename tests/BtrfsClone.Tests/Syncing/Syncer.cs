using BtrfsClone.Syncing;

namespace BtrfsClone.Tests.Syncing;

/// <summary>Syncs, and keeps what was told.</summary>
internal static class Syncer
{
    /// <summary>Syncs, and fails where an entry does.</summary>
    public static SyncResult Sync(string source, string destination, SyncOptions? options = null)
    {
        (SyncResult result, List<BtrfsException> failures, _) = SyncAll(source, destination, options);
        Assert.True(failures.Count == 0, string.Join('\n', failures.Select(f => f.Message)));
        return result;
    }

    /// <summary>Syncs, and gives the failures and the steps, too.</summary>
    public static (SyncResult Result, List<BtrfsException> Failures, List<SyncChange> Changes) SyncAll(
        string source, string destination, SyncOptions? options = null)
    {
        List<BtrfsException> failures = [];
        List<SyncChange> changes = [];
        using SyncSession session = new(
            options ?? new SyncOptions(), new SyncEvents { OnFailure = failures.Add, OnChange = changes.Add });
        return (session.Sync(source, destination, CancellationToken.None), failures, changes);
    }
}
