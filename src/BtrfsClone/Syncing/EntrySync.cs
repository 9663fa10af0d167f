using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>
/// Makes one entry that is not a directory equal to its source: determines the action, and carries it out unless this is a dry run.
/// </summary>
internal sealed unsafe class EntrySync(
    SyncRun run, EntryCloner cloner, EntryRemover remover, CancellationToken cancellation)
{
    private readonly FileUpdate _update = new(run, cancellation);
    private readonly LinkClaims _claims = new();

    /// <summary>Makes an entry equal, and reports a failure.</summary>
    public void SyncAndReport(SyncWorker worker, SyncPair pair, in SyncEntry entry)
    {
        try
        {
            Failure failure = Sync(worker, pair, entry);
            if (failure.Failed)
            {
                run.Context.Report(failure, pair, entry.Text);
            }
        }
        catch (BtrfsException failure)
        {
            // The code that reads extents does not know paths.
            run.Context.Counters.AddFailed();
            run.Context.Report(failure.At(pair.PathOf(atSource: true, entry.Text)));
        }
    }

    /// <summary>Makes an entry equal.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="pair">The directories that contain it.</param>
    /// <param name="entry">The entry.</param>
    /// <exception cref="BtrfsException">The location of a file's data could not be read.</exception>
    public Failure Sync(SyncWorker worker, SyncPair pair, in SyncEntry entry)
    {
        // Usually the inode numbers are sufficient, and no other call is needed.
        InodeComparer? inodes = worker.InodesOf(pair);
        if (inodes is not null && worker.Names.TryFind(pair, entry.Text, out ulong inode) &&
            IsKept(inodes, entry, inode))
        {
            pair.AddCounterpart();
            run.Counters.Add(SyncAction.Keep);
            return default;
        }

        Statx old = default;
        CallResult found = pair.IsAbsent || !pair.Merged
            ? Errno.ENOENT
            : Sys.StatEntry(pair.Destination, entry.Name, out old);
        if (found.Failed && !found.Is(Errno.ENOENT))
        {
            return Failure.Destination(SystemCall.Statx, found);
        }

        if (found.Failed)
        {
            return Place(worker, pair, entry, SyncAction.Create, null);
        }

        pair.AddCounterpart();
        bool isOther = entry.Status is not null && IsReplaced(*entry.Status, old);
        InodeDifference? known = isOther ? InodeDifference.Content : inodes?.Compare(entry.Inode, old.Inode, run.Options.Check);
        if (known == InodeDifference.None && HaveOneName(inodes!))
        {
            run.Counters.Add(SyncAction.Keep);
            return default;
        }

        return SyncKnown(worker, pair, entry, old, inodes, known);
    }

    /// <summary>Whether a file is replaced by one of another size, regardless of other differences.</summary>
    private bool IsReplaced(in Statx status, in Statx old) => !run.Options.InPlace && status.Size != old.Size &&
        status.FileType == Sys.ModeRegular && old.FileType == Sys.ModeRegular;

    /// <summary>Whether, according to the trees, an inode with a single name is equal to the source's.</summary>
    private bool IsKept(InodeComparer inodes, in SyncEntry entry, ulong inode) =>
        inodes.Compare(entry.Inode, inode, run.Options.Check) == InodeDifference.None && HaveOneName(inodes);

    /// <summary>Whether the two inodes compared last have no other names, which would have to be examined too.</summary>
    private static bool HaveOneName(InodeComparer inodes) =>
        inodes.SourceState.LinkCount == 1 && inodes.DestinationState.LinkCount == 1;

    private Failure SyncKnown(
        SyncWorker worker, SyncPair pair, in SyncEntry entry, in Statx old, InodeComparer? inodes, InodeDifference? known)
    {
        Statx status = entry.Status is null ? default : *entry.Status;
        CallResult result = entry.Status is null
            ? Sys.StatEntry(pair.Source, entry.SourceName, out status)
            : CallResult.Success;
        if (result.Failed)
        {
            return Failure.Source(SystemCall.Statx, result);
        }

        bool isOther = IsReplaced(status, old);
        known = isOther ? InodeDifference.Content : known;
        InodeDifference difference = status.FileType != old.FileType ? InodeDifference.Type : known ?? default;
        if (known is null && difference != InodeDifference.Type)
        {
            Failure failure = worker.Opened.Compare(
                worker.Cloning, pair, entry, status, old, run.Options.Check, worker.CanShare(pair), out difference);
            if (failure.Failed)
            {
                return failure;
            }
        }
        else if (known is not null && status.Size == old.Size && (difference & InodeDifference.Content) != 0 &&
            status.FileType == Sys.ModeRegular)
        {
            // Two different lists of items can describe the same addresses, and an inline extent cannot always be cloned as such.
            Failure failure = worker.Opened.CompareContent(worker.Ranges, pair, entry, status, old, ref difference);
            if (failure.Failed)
            {
                return failure;
            }
        }

        bool isRegular = status.FileType == Sys.ModeRegular;
        if (isRegular && (difference & InodeDifference.WrittenFlags) != 0)
        {
            Failure failure = OpenComparer.CompareFlags(pair, entry, ref difference);
            if (failure.Failed)
            {
                return failure;
            }
        }

        if ((difference & InodeDifference.Type) != 0)
        {
            return ReplaceType(worker, pair, entry, status, old);
        }

        bool mayStay = difference == InodeDifference.None || (isRegular && (difference & InodeDifference.Storage) == 0 &&
            (difference == InodeDifference.Metadata || run.Options.InPlace));
        if (mayStay && _claims.TryClaim(old, status) && cloner.TryKeep(pair, entry.Text, status, old.Inode))
        {
            if (difference != InodeDifference.None)
            {
                return _update.Run(worker, pair, entry, status, old, difference);
            }

            run.Counters.Add(SyncAction.Keep);
            return default;
        }

        bool lieApart = isRegular && !isOther && known is not null && inodes!.LieApart(entry.Inode, old.Inode);
        return Place(worker, pair, entry, SyncAction.Replace, old, lieApart);
    }

    /// <summary>
    /// Clones the entry to its name, replacing an existing one. A file is cloned as a whole, even if it shares most of its data
    /// with the one that it replaces: cloning that one would add as many references, of which those that differ would then be
    /// replaced.
    /// </summary>
    private Failure Place(
        SyncWorker worker, SyncPair pair, in SyncEntry entry, SyncAction action, Statx? old, bool lieApart = false)
    {
        Failure failure = SourceEntry.Open(
            worker.Cloning, pair, entry.SourceName, entry.IsRegular, out var source, out Statx status);
        if (failure.Failed)
        {
            return failure;
        }

        if (status.LinkCount > 1)
        {
            run.PlacedLinks.Add(status.Inode);
        }

        long length = entry.IsRegular ? (long)status.Size : 0;
        long shared = length;
        if (entry.IsRegular && !lieApart && old is { } replaced && replaced.FileType == Sys.ModeRegular)
        {
            shared = FileUpdate.LengthToShare(worker, pair, entry.Name, source, status, replaced);
            action = shared < length ? SyncAction.Patch : action;
        }

        if (run.IsDry)
        {
            worker.Cloning.Closing.Add(source);
        }
        else
        {
            Statx present = old ?? default;
            failure = old is null ? EntryRemover.Open(pair) : EntryRemover.Unprotect(pair, entry.Name, present);
            failure = failure.Failed
                ? failure
                : cloner.Clone(
                    worker.Cloning, pair, source, entry.SourceName, status, entry.Name, cancellation, old is null ? null : &present);
        }

        if (!failure.Failed)
        {
            run.Add(action, pair, entry.Text, EntryKinds.Of(status.FileType), length, shared);
        }

        return failure;
    }

    /// <summary>
    /// Replaces an entry of another type, such as a directory: the new one is created first, then the old one is removed.
    /// </summary>
    private Failure ReplaceType(SyncWorker worker, SyncPair pair, in SyncEntry entry, in Statx status, in Statx old)
    {
        if (!run.Options.Delete)
        {
            return Failure.Refused(ErrorMeaning.OtherTypeToDelete);
        }

        // The name is unused by the time the entry is cloned to it: whether it is a link to what it replaces must be checked here.
        if (SameFile.Is(pair, entry.SourceName, status, entry.Name, old))
        {
            return Failure.Refused(BtrfsError.SameFile);
        }

        if (run.Options.Filter is not null && old.FileType == Sys.ModeDirectory)
        {
            // It is removed with everything below it, so it stays if the filter excludes any of that.
            var below = new LeftOutBelow(run, pair, entry.Text);
            if (below.Failure.Failed || !below.IsNothing)
            {
                return below.Failure.Failed ? below.Failure : Failure.Refused(ErrorMeaning.OtherTypeInTheWay);
            }
        }

        if (run.IsDry)
        {
            return Place(worker, pair, entry, SyncAction.Replace, null);
        }

        byte[] hidden = EntryRemover.NewHiddenName();
        Failure failure = remover.Hide(pair, entry.Name, hidden, old);
        if (failure.Failed)
        {
            return failure;
        }

        failure = Place(worker, pair, entry, SyncAction.Replace, null);
        return failure.Failed
            ? remover.BringBack(pair, hidden, entry.Name, failure)
            : remover.Remove(pair, hidden, isCounted: false);
    }
}
