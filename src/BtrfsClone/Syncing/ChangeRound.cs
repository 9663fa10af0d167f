using System.Collections.Concurrent;
using BtrfsClone.Walking;

namespace BtrfsClone.Syncing;

/// <summary>
/// Examines only what has changed on either side since two transactions. Both subvolumes' trees record which inodes these are,
/// which names they have, and which names are new: an older name refers to the same entry as before, so entries below it are
/// examined only if they have changed themselves. Directories are processed by several threads.
/// </summary>
/// <param name="run">The sync.</param>
/// <param name="top">The top directories, open.</param>
/// <param name="since">The last transactions whose changes are known, at the source and at the destination.</param>
/// <param name="work">Processes one directory.</param>
/// <param name="cancellation">Cancels the round between two entries.</param>
internal sealed class ChangeRound(
    SyncRun run, SyncPair top, (ulong Source, ulong Destination) since, DirectoryChanges work, CancellationToken cancellation)
{
    // Starting a thread costs as much as processing a few names and directories.
    private const int LeastOfThread = 8;

    private readonly ChangedDirectories _changed = new(run, top);
    private readonly ConcurrentBag<ChangeWorker> _spare = [];
    private readonly FirstError _error = new();
    private ChangedDirectory[] _level = [];
    private int _next;
    private volatile bool _suffices = true;

    /// <summary>Whether anything but the top directories has changed.</summary>
    public bool MetChanges => _changed.AreMoreThanTop;

    /// <summary>Applies the changes.</summary>
    /// <param name="worker">The calling thread's worker.</param>
    /// <param name="newWorker">Creates a worker for another thread.</param>
    /// <returns>False if this is not sufficient, and everything has to be examined.</returns>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public bool Run(SyncWorker worker, Func<SyncWorker> newWorker)
    {
        run.PlacedLinks.Clear();
        if (!_changed.Collect(since.Source, since.Destination, cancellation))
        {
            return false;
        }

        var caller = new ChangeWorker(worker, top, run.Context.Pump);
        run.Counters.AddShare(met: _changed.Count, done: 0);
        try
        {
            do
            {
                foreach (ChangedDirectory[] level in _changed.Levels.ToArray())
                {
                    RunLevel(level, caller, newWorker);
                }
            }
            while (GoesOn && _changed.AddNamesOfPlaced());
        }
        finally
        {
            foreach (ChangeWorker spare in _spare)
            {
                spare.Sync.Dispose();
            }
        }

        return _suffices;
    }

    private bool GoesOn => _suffices && !_error.IsSet && !cancellation.IsCancellationRequested;

    private void RunLevel(ChangedDirectory[] level, ChangeWorker caller, Func<SyncWorker> newWorker)
    {
        (_level, _next) = (level, 0);
        int work = level.Sum(directory => 1 + directory.Pending) / LeastOfThread;
        int workers = Math.Min(run.Context.Descriptors.Workers, Math.Min(work, level.Length));
        var helpers = new HelperThreads(workers - 1, () => Help(newWorker));
        helpers.StartAll();
        Work(caller);
        while (!helpers.Join(EventPump.TickMilliseconds))
        {
            _error.Try(run.Context.Pump);
        }

        _error.Throw();
    }

    private void Help(Func<SyncWorker> newWorker)
    {
        ChangeWorker? worker;
        try
        {
            worker = _spare.TryTake(out worker) ? worker : new ChangeWorker(newWorker(), top, pump: null);
        }
        catch (OutOfMemoryException)
        {
            // The existing threads do all the work.
            return;
        }

        Work(worker);
        _spare.Add(worker);
    }

    private void Work(ChangeWorker worker)
    {
        while (GoesOn && Interlocked.Increment(ref _next) - 1 is var index && index < _level.Length)
        {
            _error.Try(() =>
            {
                run.Counters.AddShare(met: 0, done: 1);
                if (!work.Sync(worker, top, _level[index], since))
                {
                    _suffices = false;
                }

                worker.Pump?.Invoke();
            });
        }
    }
}
