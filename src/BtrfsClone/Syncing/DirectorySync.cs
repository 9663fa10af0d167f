using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Syncing;

/// <summary>Opens pairs of directories, and makes the directories themselves equal after everything below them.</summary>
internal sealed unsafe class DirectorySync(
    SyncRun run, DirectoryCloner directories, DirectoryMetadata metadata, EntryRemover remover, ExtraEntries extras)
{
    /// <summary>Opens a pair below its parent. The destination is created if it does not exist.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="pair">The pair.</param>
    /// <param name="topDestination">The destination of the sync: it is not entered if it is found below the source.</param>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public Failure Open(SyncWorker worker, SyncPair pair, in Statx topDestination)
    {
        var parent = pair.Parent as SyncPair;
        if (run.IsDry)
        {
            return OpenDry(worker, pair, parent);
        }

        Failure failure = default;
        if (parent is { Merged: true })
        {
            failure = directories.OpenExisting(pair, topDestination);
            if (!failure.Failed)
            {
                parent.AddCounterpart();
                return Compare(worker, pair);
            }

            if (failure.AtSource || failure.Errno is not (Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP))
            {
                return failure;
            }

            failure = default;
        }

        byte[]? hidden = null;
        fixed (byte* name = pair.DestinationName)
        {
            if (parent is { Merged: true } && Sys.StatEntry(parent.Destination, name, out Statx old) is { Failed: false })
            {
                parent.AddCounterpart();
                if (old.FileType != Sys.ModeDirectory)
                {
                    hidden = EntryRemover.NewHiddenName();
                    failure = run.Options.Delete
                        ? remover.Hide(parent, name, hidden, old)
                        : Failure.Refused(ErrorMeaning.OtherTypeToDelete);
                }
            }
            else if (parent is { Merged: true })
            {
                failure = EntryRemover.Open(parent);
            }

            if (failure.Failed)
            {
                return failure;
            }

            failure = directories.Open(worker.Cloning, pair, topDestination);
            if (hidden is not null)
            {
                failure = failure.Failed
                    ? remover.BringBack(parent!, hidden, name, failure)
                    : remover.Remove(parent!, hidden, isCounted: false);
            }
        }

        if (failure.Failed)
        {
            return failure;
        }

        if (!pair.Merged)
        {
            run.Meet(pair);
            run.Add(hidden is null ? SyncAction.Create : SyncAction.Replace, pair, [], EntryKind.Directory);
            return default;
        }

        return Compare(worker, pair);
    }

    /// <summary>Makes the directory itself equal, and finds entries that the source does not have.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="pair">The pair.</param>
    /// <param name="isWhole">Whether all of the source's entries were listed: otherwise nothing may be removed.</param>
    public Failure Finish(SyncWorker worker, SyncPair pair, bool isWhole)
    {
        Failure failure = default;
        if (pair.Merged && run.Options.Delete && isWhole)
        {
            failure = extras.Find(worker, pair);
        }

        if (pair.Merged && pair.Difference != InodeDifference.None && !failure.Failed)
        {
            run.Add(SyncAction.Update, pair, [], EntryKind.Directory);
        }
        else if (pair.Merged && !failure.Failed)
        {
            run.Counters.Add(SyncAction.Keep);
        }

        bool isChanged = !pair.Merged || pair.IsTouched || pair.Difference != InodeDifference.None;
        return failure.Failed || run.IsDry || !isChanged ? failure : metadata.Apply(worker, pair);
    }

    /// <summary>Opens what exists. If a destination is missing, everything below it is missing too.</summary>
    private Failure OpenDry(SyncWorker worker, SyncPair pair, SyncPair? parent)
    {
        Failure failure = directories.OpenSource(pair);
        if (failure.Failed)
        {
            pair.Close();
            return failure;
        }

        CallResult result = Errno.ENOENT;
        if (parent is not { IsAbsent: true })
        {
            fixed (byte* name = pair.DestinationName)
            {
                int flags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.NonBlock;
                result = Sys.OpenAt(pair.Parent!.Destination, name, flags, out Descriptor destination);
                pair.Destination = destination;
            }
        }

        bool isOther = result.Is(Errno.ENOTDIR) || result.Is(Errno.ELOOP);
        pair.IsAbsent = result.Is(Errno.ENOENT) || (isOther && run.Options.Delete);
        if (pair.IsAbsent)
        {
            run.Add(isOther ? SyncAction.Replace : SyncAction.Create, pair, [], EntryKind.Directory);
        }

        if (!result.Is(Errno.ENOENT))
        {
            parent?.AddCounterpart();
        }

        failure = pair.IsAbsent ? default
            : isOther ? Failure.Refused(ErrorMeaning.OtherTypeToDelete)
            : result.Failed ? Failure.Destination(SystemCall.OpenAt, result)
            : DirectoryTraits.ReadStatuses(pair);
        if (failure.Failed)
        {
            pair.Close();
            return failure;
        }

        pair.Merged = !pair.IsAbsent;
        return pair.Merged ? Compare(worker, pair) : default;
    }

    /// <summary>Finds the differences between the two directories themselves.</summary>
    public Failure Compare(SyncWorker worker, SyncPair pair)
    {
        run.Meet(pair);

        // Both are open: a few calls cost less than a search in each tree.
        Failure failure = worker.Opened.CompareDirectories(worker.Cloning, pair, out InodeDifference difference);
        pair.Difference = difference;
        return failure;
    }
}
