using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using BtrfsClone.Walking;

namespace BtrfsClone.Syncing;

/// <summary>
/// Looks only at what has changed on either side since two transactions. Both subvolumes' trees tell which inodes those are,
/// which names they have, and which names are new: a name that is older stands for the same entry as before, so that what is
/// below it is looked at only where it has changed itself. Directories are worked on by several threads.
/// </summary>
/// <param name="run">The sync.</param>
/// <param name="top">The tops, open.</param>
/// <param name="since">The last transactions whose changes are known, at the source and at the destination.</param>
/// <param name="work">Does what a directory needs.</param>
/// <param name="cancellation">Ends the round between two entries.</param>
internal sealed class ChangeRound(
    SyncRun run, SyncPair top, (ulong Source, ulong Destination) since, DirectoryChanges work, CancellationToken cancellation)
{
    // A thread costs as much as some names and directories do.
    private const int LeastOfThread = 8;

    private readonly ChangedDirectories _changed = new(run, top);
    private readonly ConcurrentBag<ChangeWorker> _spare = [];
    private ExceptionDispatchInfo? _error;
    private ChangedDirectory[] _level = [];
    private int _next;
    private volatile bool _suffices = true;

    /// <summary>Whether anything has changed but the tops.</summary>
    public bool MetChanges => _changed.AreMoreThanTop;

    /// <summary>Makes equal what has changed.</summary>
    /// <param name="worker">The calling thread's.</param>
    /// <param name="newWorker">Gives another thread its own.</param>
    /// <returns>False where that does not suffice, and all has to be looked at.</returns>
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

    private bool GoesOn => _suffices && _error is null && !cancellation.IsCancellationRequested;

    private void RunLevel(ChangedDirectory[] level, ChangeWorker caller, Func<SyncWorker> newWorker)
    {
        (_level, _next) = (level, 0);
        int work = level.Sum(directory => 1 + directory.Pending) / LeastOfThread;
        int workers = Math.Min(run.Context.Descriptors.Workers, Math.Min(work, level.Length));
        var helpers = new HelperThreads(workers - 1, () => Help(newWorker));
        for (int i = 1; i < workers; i++)
        {
            helpers.StartOne();
        }

        Work(caller);
        while (!helpers.Join(EventPump.TickMilliseconds))
        {
            Try(run.Context.Pump);
        }

        _error?.Throw();
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
            // Those that are there do it all.
            return;
        }

        Work(worker);
        _spare.Add(worker);
    }

    private void Work(ChangeWorker worker)
    {
        while (GoesOn && Interlocked.Increment(ref _next) - 1 is var index && index < _level.Length)
        {
            Try(() =>
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

    /// <summary>Whatever fails, on any thread, is thrown once all threads have ended: the first one.</summary>
    private void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _error, ExceptionDispatchInfo.Capture(e), null);
        }
    }
}
