using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Syncing;

/// <summary>
/// Changes a regular file of the destination in place: its metadata, and with in-place updates also the ranges that differ.
/// </summary>
internal sealed unsafe class FileUpdate(SyncRun run, CancellationToken cancellation)
{
    private static readonly int s_flags = OpenFlags.NoFollow | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;

    private readonly Metadata _metadata = new(run.Context);

    /// <summary>Makes a file equal.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="pair">The directories that contain it.</param>
    /// <param name="entry">Its names.</param>
    /// <param name="status">The source's status.</param>
    /// <param name="old">The destination's status.</param>
    /// <param name="difference">The differences between them.</param>
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
    /// The number of bytes of a file whose disk addresses differ from the destination's: what is newly shared when it is made
    /// equal.
    /// </summary>
    /// <exception cref="BtrfsException">The location of a file's data could not be read.</exception>
    public static long LengthToShare(
        SyncWorker worker, SyncPair pair, byte* name, Descriptor source, in Statx status, in Statx old)
    {
        if (old.Size < status.Size && status.Size <= status.BlockSize)
        {
            return (long)status.Size; // The block in which the shorter one ends is always considered different.
        }

        if (worker.ReadsTrees)
        {
            // Data that was delayed when the sync started has been written by now, and only a number is needed.
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

        // A range may only end inside a block if the destination ends with the source. And inline data only stays inline if it
        // replaces no other extent (clone_copy_inline_extent in fs/btrfs/reflink.c), not even a preallocated one.
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
    /// Preallocates the space that the source has beyond its end. The kernel may rewrite the file's last block with this, so that
    /// block is shared afterwards.
    /// </summary>
    private static Failure Reserve(
        SyncWorker worker, Descriptor source, Descriptor destination, in Statx status, ulong size)
    {
        CallResult result = worker.BeyondEnd.IsSame(source, destination, status)
            ? CallResult.Success
            : worker.BeyondEnd.Apply(destination, (long)size);
        return result.Failed ? Failure.Destination(SystemCall.Fallocate, result) : default;
    }

    /// <summary>Sets the file's size to the source's, if the source ends with a hole.</summary>
    private static Failure Extend(Descriptor destination, in Statx status)
    {
        CallResult result = Sys.Stat(destination, out Statx now);
        if (result.Failed || now.Size >= status.Size)
        {
            // A truncation to the current size would free the space beyond it.
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
