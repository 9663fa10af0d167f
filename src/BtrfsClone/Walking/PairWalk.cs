using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>Why an entry of one of two trees has no counterpart in the other.</summary>
public enum PairGap
{
    /// <summary>The reference has no entry of that name.</summary>
    OnlyInPath,

    /// <summary>Only the reference has an entry of that name.</summary>
    OnlyInReference,

    /// <summary>The reference has an entry of another type with that name.</summary>
    OtherKind,
}

/// <summary>
/// Walks two trees in parallel, by relative path: first everything below the second tree, with the entries of the same name in the
/// first tree, the reference; then the entries that only the reference has, directory by directory. Links are not followed. All
/// methods may be called on any of the threads.
/// </summary>
/// <remarks>
/// A pair of directories is entered, its other entries are visited while those below its subdirectories are, and it is left after
/// all of them. The top directories are not entered (the caller has opened them), but are left. A stopped walk also leaves the
/// directories that it has entered: <see cref="PairNode.IsWhole"/> is false then.
/// </remarks>
/// <typeparam name="TBuffers">The buffers of one worker.</typeparam>
/// <param name="workers">The maximum number of threads.</param>
/// <param name="oneFileSystem">Whether other filesystems mounted in one of the trees are skipped.</param>
/// <param name="cancellation">Cancels the walk.</param>
internal abstract unsafe class PairWalk<TBuffers>(int workers, bool oneFileSystem, CancellationToken cancellation)
    : TreeWalk<PairNode, TBuffers>(workers, MaxOpen(workers), cancellation)
    where TBuffers : class, IWalkBuffers
{
    protected override PairNode NewNode() => new();

    /// <summary>
    /// A directory that exists in both trees, or one below an unpaired directory, was opened, and its status is available. Returns
    /// whether to walk below it.
    /// </summary>
    protected virtual bool EnterDirectory(TBuffers buffers, PairNode node) => true;

    /// <summary>
    /// A directory of the second tree has no counterpart; it is open. Returns whether to walk below it: everything there is
    /// unpaired as well.
    /// </summary>
    protected abstract bool EnterGap(TBuffers buffers, PairNode node, PairGap gap);

    /// <summary>
    /// Visits an entry of the second tree that is not a directory, and the reference's entry of the same name: see
    /// <see cref="TryLook"/>.
    /// </summary>
    /// <param name="buffers">The worker's buffers.</param>
    /// <param name="node">The directory that contains it; it may be unpaired.</param>
    /// <param name="name">The name, null-terminated.</param>
    /// <param name="type">Its type as listed: a DT_* value, never unknown.</param>
    protected abstract void VisitEntry(TBuffers buffers, PairNode node, byte* name, byte type);

    /// <summary>
    /// Visits an entry, of any type, that exists only in the reference's directory. All of the second directory has been visited.
    /// </summary>
    /// <param name="buffers">The worker's buffers; its <see cref="IWalkBuffers.Entries"/> are in use.</param>
    /// <param name="node">The directory that contains it.</param>
    /// <param name="entry">Its name and its type, never unknown; valid until the visit ends.</param>
    protected abstract void VisitOnlyInReference(TBuffers buffers, PairNode node, DirectoryBatch.Entry entry);

    /// <summary>A directory, paired or not, is finished with everything below it; it is still open.</summary>
    protected virtual void LeaveDirectory(TBuffers buffers, PairNode node)
    {
    }

    /// <summary>Receives a failure of a directory or of an entry in it.</summary>
    /// <param name="node">The directory.</param>
    /// <param name="inReference">Which side failed.</param>
    /// <param name="failure">The failure, with its path.</param>
    protected abstract void VisitFailure(PairNode node, bool inReference, BtrfsException failure);

    /// <summary>Receives a directory that is not entered.</summary>
    /// <param name="node">The directory.</param>
    /// <param name="inReference">The side on which something is mounted on it.</param>
    /// <param name="mounted">The mounted filesystem.</param>
    protected abstract void VisitPassedOver(PairNode node, bool inReference, OtherFileSystem mounted);

    /// <summary>
    /// Gets the status of an entry in both trees. Returns false if there is nothing to visit: the entry was deleted since it was
    /// listed, or its status cannot be read in one of the trees, which is reported.
    /// </summary>
    /// <param name="node">The directory.</param>
    /// <param name="name">The entry's name.</param>
    /// <param name="status">Its status in the second tree.</param>
    /// <param name="reference">The status of the reference's entry of that name.</param>
    /// <param name="isPaired">Whether the reference has an entry of that name.</param>
    protected bool TryLook(PairNode node, byte* name, out Statx status, out Statx reference, out bool isPaired)
    {
        isPaired = false;
        reference = default;
        CallResult result = Sys.StatEntry(node.Directory, name, out status);
        if (result.Failed)
        {
            if (!result.Is(Errno.ENOENT))
            {
                Fail(node, inReference: false, Utf8Z.Span(name), SystemCall.Statx, result);
            }

            return false;
        }

        if (node.IsAlone)
        {
            return true;
        }

        result = Sys.StatEntry(node.Reference, name, out reference);
        isPaired = result.Succeeded;
        if (isPaired)
        {
            node.AddPaired();
        }
        else if (!result.Is(Errno.ENOENT))
        {
            Fail(node, inReference: true, Utf8Z.Span(name), SystemCall.Statx, result);
            return false;
        }

        return true;
    }

    protected void Fail(PairNode node, bool inReference, ReadOnlySpan<byte> name, SystemCall call, CallResult result) =>
        VisitFailure(node, inReference, BtrfsException.FromErrno(result.Error, call, node.PathOf(inReference, name)));

    protected override bool Open(TBuffers buffers, PairNode node)
    {
        PairNode parent = node.Parent!;
        CallResult result = OpenDirectory.Below(parent.Directory, node.Name, out node.Directory);
        if (result.Failed)
        {
            Fail(node, inReference: false, [], SystemCall.OpenAt, result);
            return false;
        }

        result = Sys.Stat(node.Directory, out node.DirectoryStatus);
        if (result.Failed)
        {
            Fail(node, inReference: false, [], SystemCall.Statx, result);
            return false;
        }

        if (IsLeftOut(node, false, parent.Directory, parent.DirectoryStatus, node.Directory, node.DirectoryStatus))
        {
            return false;
        }

        return node.IsAlone ? EnterDirectory(buffers, node) : OpenReference(buffers, node, parent);
    }

    protected override void Visit(TBuffers buffers, PairNode node, in DirectoryBatch batch, bool isCaller)
    {
        foreach (DirectoryBatch.Entry entry in batch)
        {
            if (IsStopped)
            {
                return;
            }

            if (entry.Type is not (DirectoryEntry.TypeDirectory or DirectoryEntry.TypePassedOver))
            {
                VisitEntry(buffers, node, entry.NamePointer, entry.Type);
                Pump(isCaller);
            }
        }
    }

    /// <summary>Finds the entries that only the reference has: they are looked up if it has more entries than have been paired.</summary>
    protected override void Finish(TBuffers buffers, PairNode node)
    {
        if (!node.IsAlone && ListReference(buffers, node, lookUp: false) > node.Paired)
        {
            ListReference(buffers, node, lookUp: true);
        }

        LeaveDirectory(buffers, node);
    }

    protected override void ReportUnlisted(PairNode node, CallResult result) =>
        Fail(node, inReference: false, [], SystemCall.GetDents, result);

    protected override void ReportLost(PairNode node) =>
        VisitFailure(node, inReference: false, new BtrfsException(BtrfsError.ChangedMeanwhile, node.PathOf(false, [])));

    private bool IsLeftOut(
        PairNode node, bool inReference, Descriptor parent, in Statx parentStatus, Descriptor directory, in Statx status)
    {
        OtherFileSystem mounted = OtherFileSystems.On(parent, parentStatus, directory, status);
        bool isLeftOut = mounted.IsLeftOut(oneFileSystem);
        if (isLeftOut)
        {
            VisitPassedOver(node, inReference, mounted);
        }

        return isLeftOut;
    }

    private bool OpenReference(TBuffers buffers, PairNode node, PairNode parent)
    {
        CallResult result = OpenDirectory.Below(parent.Reference, node.Name, out node.Reference);
        if (result.Is(Errno.ENOENT))
        {
            node.StayAlone();
            return EnterGap(buffers, node, PairGap.OnlyInPath);
        }

        parent.AddPaired();
        if (result.Error is Errno.ENOTDIR or Errno.ELOOP)
        {
            node.StayAlone();
            return EnterGap(buffers, node, PairGap.OtherKind);
        }

        SystemCall call = SystemCall.OpenAt;
        if (result.Succeeded)
        {
            call = SystemCall.Statx;
            result = Sys.Stat(node.Reference, out node.ReferenceStatus);
        }

        if (result.Failed)
        {
            Fail(node, inReference: true, [], call, result);
            return false;
        }

        return !IsLeftOut(node, true, parent.Reference, parent.ReferenceStatus, node.Reference, node.ReferenceStatus) &&
            EnterDirectory(buffers, node);
    }

    /// <summary>Returns the number of entries of the reference, or 0 if it cannot be listed.</summary>
    private int ListReference(TBuffers buffers, PairNode node, bool lookUp)
    {
        int entries = 0;
        var listing = new DirectoryListing(node.Reference, buffers.Entries);
        while (!IsStopped && listing.Next(out DirectoryBatch.Entry entry))
        {
            entries++;
            CallResult result = lookUp
                ? Sys.StatEntry(node.Directory, entry.NamePointer, out _)
                : CallResult.Success;
            if (result.Is(Errno.ENOENT))
            {
                VisitOnlyInReference(buffers, node, entry);
            }
            else if (result.Failed)
            {
                Fail(node, inReference: false, entry.Name, SystemCall.Statx, result);
            }
        }

        if (listing.Failed)
        {
            Fail(node, inReference: true, [], listing.Call, listing.Result);
        }

        return listing.Failed ? 0 : entries;
    }

    private static int MaxOpen(int workers) => FreeDescriptors.Share(4, workers + 2, 256);
}
