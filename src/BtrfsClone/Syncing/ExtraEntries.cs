using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Syncing;

/// <summary>
/// The entries of the destination that the source does not have. They are removed at the end, after everything else. Until then,
/// memory holds the name of each entry, and for each directory with such entries, its path.
/// </summary>
internal sealed unsafe class ExtraEntries(SyncRun run, EntryRemover remover, DirectoryMetadata metadata)
{
    private readonly List<(byte[][] Directory, List<ExtraEntry> Entries)> _found = [];

    /// <summary>Finds those of one directory, all of whose source entries are known.</summary>
    public Failure Find(SyncWorker worker, SyncPair pair)
    {
        if (pair.DestinationEntries is not { } entries)
        {
            entries = 0;
            var counting = new DirectoryListing(pair.Destination, worker.Entries);
            while (counting.Next(out _))
            {
                entries++;
            }

            if (counting.Failed)
            {
                return Failure.Destination(counting.Call, counting.Result);
            }
        }

        // No entry had a counterpart before it was created.
        if (entries == pair.Counterparts)
        {
            return default;
        }

        var extra = new List<ExtraEntry>();
        var listing = new DirectoryListing(pair.Destination, worker.Entries);
        while (listing.Next(out DirectoryBatch.Entry entry))
        {
            EntryKind kind = EntryKinds.Of((uint)entry.Type << 12);
            if (!run.IsWanted(pair, entry.Name, kind))
            {
                continue;
            }

            CallResult counterpart = Sys.StatEntry(pair.Source, entry.NamePointer, out _);
            if (counterpart.Failed && !counterpart.Is(Errno.ENOENT))
            {
                run.Context.Report(Failure.Source(SystemCall.Statx, counterpart), pair, entry.Name);
            }
            else if (counterpart.Failed)
            {
                extra.Add(new ExtraEntry([.. entry.Name, 0], kind));
            }
        }

        if (listing.Failed)
        {
            return Failure.Destination(listing.Call, listing.Result);
        }

        Keep(pair, extra);
        return default;
    }

    /// <summary>Records entries of an open directory for removal; a dry run reports them immediately.</summary>
    public void Keep(SyncPair pair, List<ExtraEntry> extra)
    {
        if (run.IsDry)
        {
            extra.ForEach(entry => Remove(pair, entry));
        }
        else if (extra.Count > 0)
        {
            lock (_found)
            {
                _found.Add((PairPath.Of(pair), extra));
            }
        }
    }

    /// <summary>Removes all recorded entries, and restores the times of the directories.</summary>
    /// <param name="worker">The caller's worker.</param>
    /// <param name="top">The pair of top directories, open.</param>
    /// <param name="cancellation">Cancels between two entries.</param>
    public void Remove(SyncWorker worker, SyncPair top, CancellationToken cancellation)
    {
        foreach ((byte[][] directory, List<ExtraEntry> extra) in _found)
        {
            Failure failure = PairPath.Open(worker, top, directory, out SyncPair pair);
            failure = failure.Failed ? failure : DirectoryTraits.Read(worker.Cloning, pair);
            if (failure.Failed)
            {
                run.Context.Report(failure, pair, []);
                continue;
            }

            foreach (ExtraEntry entry in extra)
            {
                if (cancellation.IsCancellationRequested)
                {
                    break;
                }

                Remove(pair, entry);
            }

            failure = metadata.Apply(worker, pair);
            if (failure.Failed)
            {
                run.Context.Report(failure, pair, []);
            }

            if (pair != top)
            {
                pair.Close();
            }

            run.Context.Pump();
        }

        _found.Clear();
    }

    private void Remove(SyncPair pair, ExtraEntry entry)
    {
        Failure failure = default;
        bool isWhole = true;
        if (run.Options.Filter is not null && entry.Kind == EntryKind.Directory)
        {
            var below = new LeftOutBelow(run, pair, Utf8Z.Span(entry.Name));
            isWhole = below.IsNothing;
            failure = below.Failure.Failed || isWhole ? below.Failure : below.RemoveRest(remover);
        }

        if (isWhole && !failure.Failed && run.IsDry)
        {
            run.Add(SyncAction.Delete, pair, Utf8Z.Span(entry.Name), entry.Kind);
        }
        else if (isWhole && !failure.Failed)
        {
            failure = remover.Remove(pair, entry.Name, isCounted: true);
        }

        if (failure.Failed)
        {
            run.Context.Report(failure, pair, Utf8Z.Span(entry.Name));
        }
    }
}
