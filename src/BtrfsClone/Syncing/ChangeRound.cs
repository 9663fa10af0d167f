using System.Text;
using BtrfsClone.Cloning;
using BtrfsClone.Extents;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Syncing;

/// <summary>
/// Looks only at what has changed on either side since two transactions. Both subvolumes' trees tell which inodes those are,
/// which names they have, and which names are new: a name that is older stands for the same entry as before, so that what is
/// below it is looked at only where it has changed itself.
/// </summary>
internal sealed unsafe class ChangeRound(
    SyncRun run, DirectorySync directories, EntrySync entries, ExtraEntries extras, SyncWorker worker,
    Func<SyncPair, SyncWalk> newWalk, CancellationToken cancellation)
{
    private readonly SortedDictionary<string, ChangedDirectory> _work = new(StringComparer.Ordinal);
    private readonly HashSet<ulong> _links = [];
    private readonly HashSet<string> _walked = new(StringComparer.Ordinal);

    /// <summary>
    /// Whether anything has changed but the tops: those change by the mark that is put onto them, and a new mark for that would
    /// be the next change.
    /// </summary>
    public bool MetChanges => _work.Any(work => work.Key.Length > 0 || work.Value.HadNames);

    /// <summary>Makes equal what has changed.</summary>
    /// <param name="top">The tops, open.</param>
    /// <param name="sourceSince">The last transaction whose changes at the source are known.</param>
    /// <param name="destinationSince">The same of the destination.</param>
    /// <returns>False where that does not suffice, and all has to be looked at.</returns>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public bool Run(SyncPair top, ulong sourceSince, ulong destinationSince)
    {
        run.PlacedLinks.Clear();
        var source = new DirectoryItems(top.Source, top.SourcePath);
        DirectoryItems destination = top.SourceStatus.Device == top.DestinationStatus.Device
            ? source
            : new DirectoryItems(top.Destination, top.DestinationPath);
        if (!Collect(top, source, destination, sourceSince, destinationSince))
        {
            return false;
        }

        bool suffices = true;
        run.Counters.AddShare(met: _work.Count, done: 0);
        do
        {
            // Directories come before those below them.
            foreach ((string path, ChangedDirectory work) in _work)
            {
                run.Counters.AddShare(met: 0, done: 1);
                if (suffices && work.IsPending && !cancellation.IsCancellationRequested && !IsWalked(path) &&
                    run.IsWanted(work.Path))
                {
                    suffices = Sync(top, path, work, source, destination, sourceSince, destinationSince);
                    run.Context.Pump();
                }
            }
        }
        while (suffices && !cancellation.IsCancellationRequested &&
            AddNamesOfPlaced(source, top.SourceStatus.Inode));
        return suffices;
    }

    /// <summary>
    /// Adds the other names of files that were made anew, which may be names that nothing has changed at. Each name is
    /// looked at once. Returns whether there are any.
    /// </summary>
    private bool AddNamesOfPlaced(DirectoryItems source, ulong top)
    {
        bool areAny = false;
        var paths = new RelativePaths(source);
        foreach (ulong inode in run.PlacedLinks.Where(_links.Add))
        {
            foreach ((ulong directory, FileName name) in source.NamesOf(inode))
            {
                areAny |= paths.Of(directory, top) is { } names && WorkIn(names).Add(name);
            }
        }

        return areAny;
    }

    /// <summary>Finds what has changed on either side. False where that is too much.</summary>
    private bool Collect(SyncPair top, DirectoryItems source, DirectoryItems destination, ulong sourceSince, ulong destinationSince)
    {
        bool areOne = source == destination;
        var paths = new RelativePaths(source);
        ulong since = areOne ? Math.Min(sourceSince, destinationSince) : sourceSince;
        List<ChangedInode>? changed = ChangedInodes.Find(top.Source, top.SourcePath, since, cancellation);
        if (changed is not null)
        {
            Collect(changed, source, paths, top.SourceStatus.Inode, sourceSince);
            paths = areOne ? paths : new RelativePaths(destination);
            changed = areOne ? changed
                : ChangedInodes.Find(top.Destination, top.DestinationPath, destinationSince, cancellation);
        }

        if (changed is not null)
        {
            Collect(changed, destination, paths, top.DestinationStatus.Inode, destinationSince);
        }

        return changed is not null;
    }

    private void Collect(List<ChangedInode> changed, DirectoryItems items, RelativePaths paths, ulong top, ulong since)
    {
        foreach (ChangedInode inode in changed)
        {
            if (inode.Transid <= since)
            {
                continue;
            }

            if (inode.Type == Sys.ModeDirectory)
            {
                if (paths.Of(inode.Inode, top) is { } directory)
                {
                    WorkIn(directory).HasOtherNames = true;
                }

                continue;
            }

            foreach ((ulong directory, FileName name) in inode.OnlyName is { } only ? [only] : items.NamesOf(inode.Inode))
            {
                if (paths.Of(directory, top) is { } names)
                {
                    WorkIn(names).Add(name);
                }
            }
        }
    }

    private ChangedDirectory WorkIn(FileName[] path)
    {
        // A byte is a character, and none of a name is a slash.
        string key = string.Join('/', path.Select(name => Encoding.Latin1.GetString(name.Span)));
        if (!_work.TryGetValue(key, out ChangedDirectory? work))
        {
            _work.Add(key, work = new ChangedDirectory(path));
        }

        return work;
    }

    private bool IsWalked(string path)
    {
        for (int end = path.Length; end > 0; end = path.LastIndexOf('/', end - 1))
        {
            if (_walked.Contains(path[..end]))
            {
                return true;
            }
        }

        return false;
    }

    private bool Sync(
        SyncPair top, string path, ChangedDirectory work, DirectoryItems source, DirectoryItems destination,
        ulong sourceSince, ulong destinationSince)
    {
        Failure failure = PairPath.Open(worker, top, [.. work.Path.Select(name => name.ZeroTerminated)], out SyncPair pair);
        if (failure.Failed)
        {
            // What the source has no more is an extra entry of a directory above, or one that is to stay. What only the
            // destination lacks had to be made anew by now.
            return failure is { AtSource: true, Errno: Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP };
        }

        try
        {
            failure = directories.Compare(worker, pair);
            if (failure.Failed)
            {
                run.Context.Report(failure, pair, []);
                return true;
            }

            if (work.HasOtherNames)
            {
                work.HasOtherNames = false;
                SyncNames(pair, work, source, destination, sourceSince, destinationSince);
            }

            foreach (FileName name in work.TakeNames())
            {
                Sync(pair, path, name);
            }

            failure = directories.Finish(worker, pair, isWhole: false);
            if (failure.Failed)
            {
                run.Context.Report(failure, pair, []);
            }

            return true;
        }
        finally
        {
            worker.Cloning.CloseAll();
            if (pair != top)
            {
                pair.Close();
            }
        }
    }

    /// <summary>Finds the names of a directory that are on one side only, or stand for something else than before.</summary>
    private void SyncNames(
        SyncPair pair, ChangedDirectory work, DirectoryItems source, DirectoryItems destination,
        ulong sourceSince, ulong destinationSince)
    {
        Dictionary<FileName, DirectoryItem> names = source.NamesIn(pair.SourceStatus.Inode);
        Dictionary<FileName, DirectoryItem> others = destination.NamesIn(pair.DestinationStatus.Inode);
        foreach ((FileName name, DirectoryItem item) in names)
        {
            bool isKnown = others.TryGetValue(name, out DirectoryItem other) && item.Transid <= sourceSince &&
                other.Transid <= destinationSince && !item.IsSubvolume && !other.IsSubvolume;
            if (!isKnown)
            {
                work.Add(name);
            }
        }

        if (!run.Options.Delete)
        {
            return;
        }

        var extra = new List<ExtraEntry>();
        foreach (FileName name in others.Keys.Where(name => !names.ContainsKey(name)))
        {
            fixed (byte* text = name.ZeroTerminated)
            {
                // Both trees may have changed since: the kernel has the last word.
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

    private void Sync(SyncPair pair, string path, FileName name)
    {
        fixed (byte* text = name.ZeroTerminated)
        {
            // What is gone at the source is an extra entry, if anything.
            if (Sys.StatEntry(pair.Source, text, out Statx status).Failed ||
                !run.IsWanted(pair, name.Span, EntryKinds.Of(status.FileType)))
            {
                return;
            }

            if (status.FileType != Sys.ModeDirectory)
            {
                bool isRegular = status.FileType == Sys.ModeRegular;
                entries.SyncAndReport(worker, pair, new SyncEntry(text, text, isRegular, status.Inode));
                return;
            }
        }

        string place = Encoding.Latin1.GetString(name.Span);
        _walked.Add(path.Length == 0 ? place : $"{path}/{place}");
        var child = new SyncPair(pair, name.ZeroTerminated, name.ZeroTerminated);
        Failure failure = directories.Open(worker, child, default);
        if (failure.Failed)
        {
            run.Context.Report(failure, pair, name.Span);
            return;
        }

        newWalk(child).Run(child, worker);
    }
}
