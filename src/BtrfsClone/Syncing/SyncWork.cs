using BtrfsClone.Carrying;
using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>One complete sync: everything is walked, or only what has changed since the last one.</summary>
internal sealed class SyncWork : IDisposable
{
    // Each round finds what the one before it, or another process, has changed in the meantime.
    private const int MostRounds = 3;

    private readonly SyncOptions _options;
    private readonly CancellationToken _cancellation;
    private readonly PointInTime? _snapshots;
    private readonly ExtraEntries _extras;
    private readonly EntryRemover _remover;
    private readonly DirectorySync _directories;
    private readonly MarkKeeper _marks;
    private bool _readsTrees;
    private SyncWorker? _worker;
    private bool _metChanges;

    public SyncWork(SyncOptions options, SyncEvents events, CancellationToken cancellation)
    {
        (_options, _cancellation) = (options, cancellation);
        var cloning = new CloneOptions
        {
            Force = true,
            Reflink = options.Reflink,
            PointInTime = options.PointInTime && !options.DryRun,
            PerFile = options.PerFile,
            SingleItem = true,
            OneFileSystem = options.OneFileSystem,
            Workers = options.Workers,
        };
        var context = new CloneContext(cloning.KeepingSharing(), events);
        Run = new SyncRun(options, context, events.OnChange);
        _snapshots = cloning.PointInTime ? new PointInTime(context) : null;
        _remover = new EntryRemover(Run);
        var cloner = new DirectoryCloner(context, _snapshots);
        var metadata = new DirectoryMetadata(cloner);
        _extras = new ExtraEntries(Run, _remover, metadata);
        _directories = new DirectorySync(Run, cloner, metadata, _remover, _extras);
        _marks = new MarkKeeper(options);
    }

    public SyncRun Run { get; }

    /// <summary>The subvolumes that <see cref="SyncOptions.PerFile"/> allowed to be read without a snapshot.</summary>
    public LiveSubvolumes WithoutMoment => _snapshots?.GivenUp ?? new LiveSubvolumes();

    /// <summary>Makes a destination equal. Returns whether everything was examined.</summary>
    public bool Sync(string source, string destination)
    {
        var tops = new SyncTops(Run, _snapshots, source, destination);
        tops.Check();
        _snapshots?.BeginItem(CloneDestination.Into(CloneDestination.ParentOf(destination)));
        bool sawAll = tops.AreDirectories ? SyncTrees(tops) : SyncFiles(tops, destination);
        _snapshots?.Dispose();
        Run.Context.Drain();
        return sawAll;
    }

    public void Dispose()
    {
        _snapshots?.Dispose();
        _worker?.Dispose();
        Run.Context.Carrier?.Dispose();
    }

    private SyncWorker NewWorker() => new(Run.Context.NewBuffers(), _readsTrees);

    /// <summary>Each pass over the trees only knows the links that it has found itself.</summary>
    private EntrySync NewEntries() => new(Run, new EntryCloner(Run.Context), _remover, _cancellation);

    /// <param name="top">The open directories where it starts.</param>
    /// <param name="entries">Processes their entries.</param>
    /// <param name="pump">Raises pending events, if the walk is on the thread that may do so.</param>
    private SyncWalk NewWalk(SyncPair top, EntrySync entries, Action? pump)
    {
        Run.Counters.AddShare(met: 1, done: 0);
        return new SyncWalk(Run, _directories, entries, NewWorker, top.DestinationStatus, pump, _cancellation);
    }

    private unsafe bool SyncFiles(SyncTops tops, string destination)
    {
        _worker = NewWorker();
        SyncPair parents = tops.OpenParents(_worker);
        try
        {
            fixed (byte* sourceName = Utf8Z.From(CloneDestination.NameOf(tops.RealSource())))
            fixed (byte* name = Utf8Z.From(CloneDestination.NameOf(destination)))
            {
                bool isRegular = tops.SourceStatus.FileType == Sys.ModeRegular;
                var entry = new SyncEntry(sourceName, name, isRegular, tops.SourceStatus.Inode);
                Failure failure = NewEntries().Sync(_worker, parents, entry);
                if (failure.Failed)
                {
                    throw failure.ToException(failure.AtSource ? parents.SourcePath : destination);
                }
            }
        }
        finally
        {
            _worker.Cloning.CloseAll();
            parents.Close();
        }

        return true;
    }

    private bool SyncTrees(SyncTops tops)
    {
        if (!tops.DestinationExists)
        {
            return CreateTree(tops);
        }

        using var plain = new SyncWorker(Run.Context.NewBuffers(), readsTrees: false);
        SyncPair top = tops.OpenExisting(plain);
        Run.BeginAt(top);
        try
        {
            bool isOne = plain.CanShare(top) && !HasMounts(top.Source) && !HasMounts(top.Destination);
            SyncMark? now = isOne ? _marks.Commit(top) : null;
            _readsTrees = now is not null;
            _worker = NewWorker();
            SyncMark? last = now is null ? null : SyncMark.Read(top.Destination);
            bool fits = last is not null && last.Fits(now!);
            bool sawAll = !fits || !RunRound(top, last!.SourceGeneration, last.DestinationGeneration);
            if (sawAll)
            {
                Walk(top);
            }

            _extras.Remove(_worker, top, _cancellation);
            if (now is not null && !_options.DryRun)
            {
                Remember(top, now, sawAll);
            }

            return sawAll;
        }
        finally
        {
            top.Close();
        }
    }

    private bool CreateTree(SyncTops tops)
    {
        _worker = NewWorker();
        SyncPair top = tops.Create(_worker, _directories);
        Run.BeginAt(top);
        if (_options.DryRun)
        {
            NewWalk(top, NewEntries(), Run.Context.Pump).Run(top, _worker);
            return true;
        }

        SyncPair made = top.OpenAnother();
        made.Merged = true;
        try
        {
            SyncMark? now = HasMounts(made.Source) || !_worker.CanShare(made) ? null : _marks.Commit(made);
            NewWalk(top, NewEntries(), Run.Context.Pump).Run(top, _worker);
            _worker.Cloning.CloseAll();

            // The destination was inaccessible to others until it was complete; the source may have changed in the meantime.
            SyncMark? end = now is null || !IsSure ? null : _marks.Commit(made);
            Write(made, end is null ? null : Settle(made, now! with { DestinationGeneration = end.DestinationGeneration }));
        }
        finally
        {
            made.Close();
        }

        return true;
    }

    /// <summary>Examines everything. The pair stays open: the walk gets its own copy, which it closes.</summary>
    private void Walk(SyncPair top)
    {
        SyncPair walked = top.OpenAnother();
        Failure failure = _directories.Compare(_worker!, walked);
        if (failure.Failed)
        {
            Run.Context.Report(failure, top, []);
        }

        NewWalk(walked, NewEntries(), Run.Context.Pump).Run(walked, _worker!);
        _worker!.Cloning.CloseAll();
    }

    private bool RunRound(SyncPair top, ulong sourceSince, ulong destinationSince)
    {
        _worker!.Refresh();
        EntrySync entries = NewEntries();
        var work = new DirectoryChanges(
            Run, _directories, entries, _extras, (pair, pump) => NewWalk(pair, entries, pump));
        var round = new ChangeRound(Run, top, (sourceSince, destinationSince), work, _cancellation);
        bool suffices = round.Run(_worker!, NewWorker);
        _metChanges = round.MetChanges;
        return suffices;
    }

    /// <summary>Writes the mark for the next sync.</summary>
    private void Remember(SyncPair top, SyncMark now, bool sawAll)
    {
        if (sawAll)
        {
            Write(top, Settle(top, now));
        }
        else if (Run.MetOtherVolume)
        {
            Write(top, null);
        }
        else if (IsSure && _metChanges)
        {
            // What this sync has changed is examined by the next one, which usually has other changes to examine anyway. Doing it
            // now would take as long as the sync has taken.
            Write(top, now);
        }
    }

    /// <summary>
    /// Examines again what has changed since a mark: what this sync has changed at the destination, and what others have changed on
    /// either side in the meantime, until a round finds nothing. Only then is a later transaction known to be equal on both sides.
    /// Null if this is not reached, so that the next sync examines everything.
    /// </summary>
    private SyncMark? Settle(SyncPair top, SyncMark known)
    {
        for (int round = 0; IsSure && round < MostRounds && _marks.Commit(top) is { } next; round++)
        {
            long changed = ChangedEntries;
            bool suffices = RunRound(top, known.SourceGeneration, known.DestinationGeneration);
            _extras.Remove(_worker!, top, _cancellation);
            if (!suffices)
            {
                return null;
            }

            known = next;
            if (ChangedEntries == changed)
            {
                break;
            }
        }

        return IsSure ? known : null;
    }

    private static bool HasMounts(Descriptor directory)
    {
        byte[] path = RealPath.Of(directory);
        return path.Length == 0 || !MountsBelow.TryFind(path, out MountsBelow? mounts) || mounts is not null;
    }

    private bool IsSure =>
        !Run.MetOtherVolume && Run.Context.Counters.Failed == 0 && !_cancellation.IsCancellationRequested;

    private long ChangedEntries => Run.Counters.Entries - Run.Counters[SyncAction.Keep];

    /// <summary>
    /// Writes the mark to the destination, or removes an older one; its times are preserved. If neither is possible (an immutable
    /// directory, no space), the next sync takes longer but is still correct: an older mark remains valid.
    /// </summary>
    private static void Write(SyncPair top, SyncMark? mark)
    {
        _ = mark is null ? SyncMark.Remove(top.Destination) : mark.Write(top.Destination);
    }
}
