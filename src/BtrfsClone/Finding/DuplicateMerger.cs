using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Merging;

namespace BtrfsClone.Finding;

/// <summary>
/// Makes the places of a group share the extents of the first one (FIDEDUPERANGE). The kernel compares the data with the files
/// locked, so no byte, time or mode ever changes, even in read-only snapshots: data that has changed since it was found, or never
/// was equal, stays as it is and is counted. Requires read access to the files, and for those that are to share, write access,
/// ownership or CAP_SYS_ADMIN.
/// </summary>
/// <param name="events">Receives each place that fails.</param>
public sealed class DuplicateMerger(SessionEvents events)
{
    // btrfs itself works in chunks of this size (BTRFS_MAX_DEDUPE_LEN); older kernels process no more per call.
    private const long Chunk = 16L << 20;

    private static readonly int s_flags =
        OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;

    /// <summary>Running totals.</summary>
    public MergeCounters Counters { get; } = new();

    /// <summary>Merges a group.</summary>
    /// <param name="group">The group; its first place keeps its extents.</param>
    /// <param name="cancellation">Cancels between two ranges. Data that is shared by then stays shared.</param>
    /// <returns>
    /// The result for each place but the first; the lengths in a result are bytes of the group, and their sum is its length.
    /// </returns>
    /// <exception cref="BtrfsException">The first place cannot be opened, or has become shorter.</exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public IReadOnlyList<MergeResult> Merge(BtrfsDuplicate group, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(group);
        DuplicatePlace kept = group.Places[0];
        var results = new List<MergeResult>();
        using OwnedDescriptor source = Open(kept, group);
        for (int first = 1; first < group.Places.Count; first += Sys.MostDedupeDestinations)
        {
            int count = Math.Min(Sys.MostDedupeDestinations, group.Places.Count - first);
            var batch = new List<MergedPlace>();
            try
            {
                for (int i = first; i < first + count; i++)
                {
                    TryAdd(batch, group.Places[i], group);
                }

                MergeBatch(source.Descriptor, group, batch, cancellation);
            }
            finally
            {
                batch.ForEach(place => place.Dispose());
            }

            results.AddRange(batch.Where(place => !place.HasFailed).Select(place => ResultOf(kept, place, group)));
            events.OnTick?.Invoke();
        }

        return results;
    }

    private void TryAdd(List<MergedPlace> batch, DuplicatePlace place, BtrfsDuplicate group)
    {
        try
        {
            batch.Add(new MergedPlace(place, Open(place, group), group.Length));
        }
        catch (BtrfsException failure)
        {
            Report(failure);
        }
    }

    private void MergeBatch(
        Descriptor source, BtrfsDuplicate group, List<MergedPlace> batch, CancellationToken cancellation)
    {
        long length;
        for (long done = 0; done < group.Length; done += length)
        {
            cancellation.ThrowIfCancellationRequested();
            length = group.Length - done;
            bool anyData = false;
            foreach (MergedPlace place in batch.Where(place => !place.HasEnded))
            {
                place.LookAt(done);
                length = Math.Min(length, place.Until - done);
                anyData |= place.IsData;
            }

            length = anyData ? Math.Min(length, Chunk) : length;
            foreach (MergedPlace place in batch.Where(place => !place.HasEnded && !place.IsData))
            {
                place.Same += length;
            }

            MergedPlace[] live = [.. batch.Where(place => !place.HasEnded && place.IsData)];
            if (live.Length > 0)
            {
                MergeChunk(source, group.Places[0].Offset + done, done, length, live);
            }
        }
    }

    /// <summary>Merges as much as one call can; the rest is left to the next call.</summary>
    private void MergeChunk(Descriptor source, long offset, long done, long length, MergedPlace[] live)
    {
        Span<DedupeDestination> destinations = stackalloc DedupeDestination[live.Length];
        Sys.ReadAhead(source, offset, length);
        for (int i = 0; i < live.Length; i++)
        {
            destinations[i] = new DedupeDestination { File = live[i].File, Offset = live[i].Place.Offset + done };
            Sys.ReadAhead(live[i].File, destinations[i].Offset, length);
        }

        CallResult result = Sys.DedupeMany(source, offset, length, destinations);
        for (int i = 0; i < live.Length; i++)
        {
            Errno error = result.Failed ? result.Error : destinations[i].Error;
            if (error != Errno.None)
            {
                live[i].HasEnded = live[i].HasFailed = true;
                Report(WhyFailed(error, source, live[i]));
            }
            else
            {
                live[i].Deduped += Math.Min(destinations[i].Deduped, length);
            }
        }
    }

    private void Report(BtrfsException failure)
    {
        Counters.AddFailed();
        events.OnFailure(failure);
    }

    private MergeResult ResultOf(DuplicatePlace kept, MergedPlace place, BtrfsDuplicate group)
    {
        long different = group.Length - place.Deduped - place.Same;
        Counters.AddDeduped(place.Deduped, shared: false);
        Counters.AddSame(place.Same);
        Counters.AddFile(different);
        return new MergeResult
        {
            ReferencePath = kept.Path,
            Path = place.Place.Path,
            DedupedLength = place.Deduped,
            SameLength = place.Same,
            InlineLength = 0, // Not searched for.
            DifferentLength = different,
        };
    }

    private static BtrfsException WhyFailed(Errno error, Descriptor source, MergedPlace place) => error == Errno.EINVAL
        ? new BtrfsException(
            ChecksumMismatch.WhyInvalid(source, place.File), place.Place.Path, SystemCall.DedupeRange, error)
        : BtrfsException.FromErrno(error, SystemCall.DedupeRange, place.Place.Path, isNamed: true);

    private static unsafe OwnedDescriptor Open(DuplicatePlace place, BtrfsDuplicate group)
    {
        CallResult result = Sys.Stat(place.Path, follow: false, out Statx status);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.Statx, place.Path);
        }

        if (status.FileType != Sys.ModeRegular || (long)status.Size < place.Offset + group.Length)
        {
            throw new BtrfsException(BtrfsError.ChangedMeanwhile, place.Path);
        }

        fixed (byte* name = Utf8Z.From(place.Path))
        {
            result = Sys.OpenQuietlyAt(Descriptor.WorkingDirectory, name, s_flags, out Descriptor file, out _);
            return result.Succeeded
                ? new OwnedDescriptor(file)
                : throw BtrfsException.FromErrno(result.Error, SystemCall.OpenAt, place.Path);
        }
    }
}
