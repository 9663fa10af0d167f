using System.Collections.Concurrent;
using System.Text;
using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Syncing;

/// <summary>Applies the changes in one directory.</summary>
internal sealed unsafe class DirectoryChanges(
    SyncRun run, DirectorySync directories, EntrySync entries, ExtraEntries extras, Func<SyncPair, Action?, SyncWalk> newWalk)
{
    private readonly ConcurrentDictionary<string, bool> _walked = new(StringComparer.Ordinal);
    private readonly object _walking = new();

    /// <summary>Examines a directory, unless it was walked as part of a parent directory.</summary>
    /// <param name="worker">The thread's worker.</param>
    /// <param name="top">The top directories, open.</param>
    /// <param name="changed">What to examine.</param>
    /// <param name="since">The last transactions whose changes are known, at the source and at the destination.</param>
    /// <returns>False if everything has to be examined.</returns>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public bool Sync(ChangeWorker worker, SyncPair top, ChangedDirectory changed, (ulong Source, ulong Destination) since)
    {
        if (IsWalked(changed.Key) || !run.IsWanted(changed.Path))
        {
            return true;
        }

        Failure failure = PairPath.Open(worker.Sync, top, [.. changed.Path.Select(name => name.ZeroTerminated)], out SyncPair pair);
        if (failure.Failed)
        {
            // If it no longer exists at the source, it is below an extra entry, or is to stay. If only the destination lacked it,
            // it would have been created by now.
            return failure is { AtSource: true, Errno: Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP };
        }

        try
        {
            failure = SyncOpen(worker, pair, changed, since);
            if (failure.Failed)
            {
                run.Context.Report(failure, pair, []);
            }

            return true;
        }
        finally
        {
            worker.Sync.Cloning.CloseAll();
            if (pair != top)
            {
                pair.Close();
            }
        }
    }

    private bool IsWalked(string path)
    {
        for (int end = path.Length; end > 0; end = path.LastIndexOf('/', end - 1))
        {
            if (_walked.ContainsKey(path[..end]))
            {
                return true;
            }
        }

        return false;
    }

    private Failure SyncOpen(ChangeWorker worker, SyncPair pair, ChangedDirectory changed, (ulong Source, ulong Destination) since)
    {
        Failure failure = directories.Compare(worker.Sync, pair);
        if (failure.Failed)
        {
            return failure;
        }

        if (changed.HasOtherNames)
        {
            changed.HasOtherNames = false;
            var extra = new List<FileName>();
            worker.Names.Compare(pair, since.Source, since.Destination, name => changed.Add(name), extra.Add);
            KeepExtra(pair, extra);
        }

        foreach (FileName name in changed.TakeNames())
        {
            SyncEntry(worker, pair, changed.Key, name);
        }

        return directories.Finish(worker.Sync, pair, isWhole: false);
    }

    private void KeepExtra(SyncPair pair, List<FileName> names)
    {
        if (!run.Options.Delete)
        {
            return;
        }

        var extra = new List<ExtraEntry>();
        foreach (FileName name in names)
        {
            fixed (byte* text = name.ZeroTerminated)
            {
                // Both trees may have changed since: the actual state decides.
                if (Sys.StatEntry(pair.Destination, text, out Statx status).Failed ||
                    !Sys.StatEntry(pair.Source, text, out _).Is(Errno.ENOENT))
                {
                    continue;
                }

                EntryKind kind = EntryKinds.Of(status.FileType);
                if (run.IsWanted(pair, name.Span, kind))
                {
                    extra.Add(new ExtraEntry(name.ZeroTerminated, kind));
                }
            }
        }

        extras.Keep(pair, extra);
    }

    private void SyncEntry(ChangeWorker worker, SyncPair pair, string path, FileName name)
    {
        fixed (byte* text = name.ZeroTerminated)
        {
            // If it was deleted at the source, it is at most an extra entry.
            if (Sys.StatEntry(pair.Source, text, out Statx status).Failed ||
                !run.IsWanted(pair, name.Span, EntryKinds.Of(status.FileType)))
            {
                return;
            }

            if (status.FileType != Sys.ModeDirectory)
            {
                bool isRegular = status.FileType == Sys.ModeRegular;
                entries.SyncAndReport(worker.Sync, pair, new SyncEntry(text, text, isRegular, status.Inode, &status));
                return;
            }
        }

        string place = Encoding.Latin1.GetString(name.Span);
        _walked[path.Length == 0 ? place : $"{path}/{place}"] = true;
        var child = new SyncPair(pair, name.ZeroTerminated, name.ZeroTerminated);
        Failure failure = directories.Open(worker.Sync, child, default);
        if (failure.Failed)
        {
            run.Context.Report(failure, pair, name.Span);
            return;
        }

        Walk(worker, child);
    }

    /// <summary>Examines everything below a directory. A walk takes all available threads and descriptors: only one at a time.</summary>
    private void Walk(ChangeWorker worker, SyncPair directory)
    {
        while (!Monitor.TryEnter(_walking, EventPump.TickMilliseconds))
        {
            worker.Pump?.Invoke();
        }

        try
        {
            newWalk(directory, worker.Pump).Run(directory, worker.Sync);
        }
        finally
        {
            Monitor.Exit(_walking);
        }
    }
}
