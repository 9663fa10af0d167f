using BtrfsClone.Cloning;

namespace BtrfsClone.Syncing;

/// <summary>Running totals of a sync. They can be read at any time, on any thread. Lengths are in bytes.</summary>
public sealed class SyncCounters
{
    private readonly long[] _entries = new long[Enum.GetValues<SyncAction>().Length];
    private long _length;
    private long _sharedLength;
    private long _met;
    private double _done;
    private double _share;

    /// <summary>Bytes of the regular files that were created, replaced or patched.</summary>
    public long Length => Volatile.Read(ref _length);

    /// <summary>Bytes that are newly shared.</summary>
    public long SharedLength => Volatile.Read(ref _sharedLength);

    /// <summary>The number of entries processed so far.</summary>
    public long Entries => _entries.Sum();

    /// <summary>
    /// The completed fraction, from 0 to 1: of a tree, in which sibling directories have equal weight, or of the changes if only
    /// these are examined. It never decreases.
    /// </summary>
    public double Share
    {
        get
        {
            lock (_entries)
            {
                return _share = Math.Max(_share, Math.Min(_done / Math.Max(_met, 1), 1));
            }
        }
    }

    /// <summary>The number of entries for which an action was taken.</summary>
    /// <param name="action">The action.</param>
    public long this[SyncAction action] => Volatile.Read(ref _entries[(int)action]);

    internal void Add(SyncAction action, long entries = 1) => Interlocked.Add(ref _entries[(int)action], entries);

    /// <summary>Counts work that was found, and the part of it that is completed.</summary>
    internal void AddShare(long met, double done)
    {
        lock (_entries)
        {
            _met += met;
            _done += done;
        }
    }

    internal void AddData(long length, long shared)
    {
        Interlocked.Add(ref _length, length);
        Interlocked.Add(ref _sharedLength, shared);
    }

    internal SyncResult ToResult(string source, string path, CloneCounters cloned, TimeSpan elapsed, bool sawAll) => new()
    {
        Source = source,
        Path = path,
        Created = this[SyncAction.Create],
        Replaced = this[SyncAction.Replace],
        Patched = this[SyncAction.Patch],
        Updated = this[SyncAction.Update],
        Deleted = this[SyncAction.Delete],
        Unchanged = sawAll ? this[SyncAction.Keep] : null,
        Length = Length,
        SharedLength = SharedLength - cloned.CopiedLength,
        CopiedLength = cloned.CopiedLength,
        Failed = cloned.Failed,
        Elapsed = elapsed,
    };
}
