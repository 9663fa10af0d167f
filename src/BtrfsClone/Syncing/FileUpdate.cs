using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Syncing;

/// <summary>Changes a regular file of the destination where it is: its metadata, and in place also the ranges that differ.</summary>
internal sealed unsafe class FileUpdate(SyncRun run, CancellationToken cancellation)
{
    private static readonly int s_flags = OpenFlags.NoFollow | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;

    private readonly Metadata _metadata = new(run.Context);

    /// <summary>Makes a file equal.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="pair">The directories that it is in.</param>
    /// <param name="entry">Its names.</param>
    /// <param name="status">The source's status.</param>
    /// <param name="old">The destination's status.</param>
    /// <param name="difference">What they have not in common.</param>
    public Failure Run(
        SyncWorker worker, SyncPair pair, in SyncEntry entry, in Statx status, in Statx old, InodeDifference difference)
    {
        bool isPatch = (difference & InodeDifference.Content) != 0;
        CallResult result = Sys.OpenAt(pair.Source, entry.SourceName, OpenFlags.ReadOnly | s_flags, out Descriptor source);
        if (result.Failed)
        {
            return Failure.Source(SystemCall.OpenAt, result);
        }

        using var sourceScope = new DescriptorScope(source);
        Failure failure = Open(pair, entry.Name, old, isPatch, out Descriptor destination);
        using var destinationScope = new DescriptorScope(destination);
        result = Sys.GetFlags(source, out InodeFlags flags);
        if (failure.Failed || result.Failed)
        {
            return failure.Failed ? failure : Failure.Source(SystemCall.GetFlags, result);
        }

        long shared = 0;
        failure = isPatch ? Patch(worker, source, destination, status, old, out shared) : default;
        failure = failure.Failed || run.IsDry ? failure : ApplyMetadata(worker, source, destination, status, old, flags);
        if (!failure.Failed)
        {
            SyncAction action = isPatch ? SyncAction.Patch : SyncAction.Update;
            run.Add(action, pair, entry.Text, EntryKind.File, isPatch ? (long)status.Size : 0, shared);
        }

        return failure;
    }

    /// <summary>
    /// How many bytes of a file do not lie where those of the destination's lie: what is shared anew when it is made equal.
    /// </summary>
    /// <exception cref="BtrfsException">Where a file lies could not be found out.</exception>
    public static long LengthToShare(
        SyncWorker worker, SyncPair pair, byte* name, Descriptor source, in Statx status, in Statx old)
    {
        if (old.Size < status.Size && status.Size <= status.BlockSize)
        {
            return (long)status.Size; // The block that the shorter one ends in is never the same.
        }

        if (worker.ReadsTrees)
        {
            // What was delayed when the sync began is written by now, and only a number is wanted.
            worker.Ranges.StartCommitted(pair, status, old);
            return worker.Ranges.RestLength();
        }

        if (!worker.CanShare(pair) ||
            Sys.OpenAt(pair.Destination, name, OpenFlags.ReadOnly | s_flags, out Descriptor destination).Failed)
        {
            return (long)status.Size;
        }

        using var scope = new DescriptorScope(destination);
        worker.Ranges.Start(source, status, destination, old, useTrees: false);
        return worker.Ranges.RestLength();
    }

    private Failure Open(SyncPair pair, byte* name, in Statx old, bool isPatch, out Descriptor destination)
    {
        destination = default;
        Failure failure = run.IsDry ? default : EntryRemover.Unprotect(pair, name, old);
        if (failure.Failed)
        {
            return failure;
        }

        int access = isPatch && !run.IsDry ? OpenFlags.ReadWrite : OpenFlags.ReadOnly;
        CallResult result = Sys.OpenAt(pair.Destination, name, access | s_flags, out destination);
        result = OpenDirectory.Expect(result, ref destination, old);
        return result.Failed ? Failure.Destination(SystemCall.OpenAt, result) : default;
    }

    private Failure Patch(
        SyncWorker worker, Descriptor source, Descriptor destination, in Statx status, in Statx old, out long shared)
    {
        shared = 0;

        // Only where the destination ends with the source may a range end inside a block. And what is inline stays so only
        // where it takes no other extent's place (clone_copy_inline_extent in fs/btrfs/reflink.c), be it preallocated.
        bool mayBeInline = status.Size <= status.BlockSize;
        ulong kept = mayBeInline ? 0 : Math.Min(old.Size, status.Size);
        if (run.IsDry)
        {
            return ShareRanges(worker, source, destination, status, old, out shared);
        }

        CallResult result = mayBeInline || kept < old.Size ? Sys.Truncate(destination, (long)kept) : CallResult.Success;
        if (result.Failed)
        {
            return Failure.Destination(SystemCall.Ftruncate, result);
        }

        Failure failure = Reserve(worker, source, destination, status, kept);
        failure = failure.Failed ? failure : ShareRanges(worker, source, destination, status, old, out shared);
        return failure.Failed || kept >= status.Size ? failure : Extend(destination, status);
    }

    /// <summary>
    /// Gives the file what the source has preallocated beyond its end. The kernel may rewrite the file's last block with it, which
    /// is shared only then.
    /// </summary>
    private static Failure Reserve(
        SyncWorker worker, Descriptor source, Descriptor destination, in Statx status, ulong size)
    {
        CallResult result = worker.BeyondEnd.IsSame(source, destination, status)
            ? CallResult.Success
            : worker.BeyondEnd.Apply(destination, (long)size);
        return result.Failed ? Failure.Destination(SystemCall.Fallocate, result) : default;
    }

    /// <summary>Gives the file the source's size, where that ends with a hole.</summary>
    private static Failure Extend(Descriptor destination, in Statx status)
    {
        CallResult result = Sys.Stat(destination, out Statx now);
        if (result.Failed || now.Size >= status.Size)
        {
            // A truncation to the size that it has would free what is beyond it.
            return result.Failed ? Failure.Destination(SystemCall.Statx, result) : default;
        }

        result = Sys.Truncate(destination, (long)status.Size);
        return result.Failed ? Failure.Destination(SystemCall.Ftruncate, result) : default;
    }

    private Failure ShareRanges(
        SyncWorker worker, Descriptor source, Descriptor destination, in Statx status, in Statx old, out long shared)
    {
        shared = 0;
        FileRanges ranges = worker.Ranges;
        ranges.Start(source, status, destination, old, worker.ReadsTrees);
        while (ranges.Next(out long offset, out long length))
        {
            if (cancellation.IsCancellationRequested)
            {
                return Failure.Cancelled;
            }

            shared += length;
            if (run.IsDry)
            {
                continue;
            }

            CallResult result = Sys.CloneRange(source, destination, new FileCloneRange
            {
                SourceOffset = (ulong)offset,
                SourceLength = (ulong)length,
                DestinationOffset = (ulong)offset,
            });
            if (result.Is(Errno.EINVAL) && (Sys.Stat(source, out Statx now).Failed || now.Size != status.Size))
            {
                return Failure.Refused(BtrfsError.ChangedMeanwhile, atSource: true);
            }

            if (result.Failed)
            {
                return Failure.Between(SystemCall.FiCloneRange, result);
            }
        }

        return default;
    }

    private Failure ApplyMetadata(
        SyncWorker worker, Descriptor source, Descriptor destination, in Statx status, in Statx old, InodeFlags flags)
    {
        CallResult names = Sys.ListXattr(source, worker.Cloning.XattrNames);
        if (names.Failed && !names.Is(Errno.EOPNOTSUPP))
        {
            return Failure.Source(SystemCall.ListXattr, names);
        }

        // Flags that the source has are set at the end.
        CallResult result = Sys.SetLateFlags(destination, InodeFlags.None);
        if (result.Failed && !result.Is(Errno.ENOTTY) && !result.Is(Errno.EOPNOTSUPP))
        {
            return Failure.Destination(SystemCall.FsSetXattr, result);
        }

        var before = new Metadata.Before(old.Uid, old.Gid, old.Permissions, MayHaveXattrs: true);
        return _metadata.ApplyTo(worker.Cloning, source, destination, status, flags, before, (int)names.Value);
    }
}
