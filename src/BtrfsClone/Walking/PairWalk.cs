using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>Why an entry of one of two trees has no counterpart in the other.</summary>
public enum PairGap
{
    /// <summary>The reference has nothing of that name.</summary>
    OnlyInPath,

    /// <summary>Only the reference has something of that name.</summary>
    OnlyInReference,

    /// <summary>The reference has something else of that name.</summary>
    OtherKind,
}

/// <summary>
/// Walks two trees side by side, by relative path: all below the second one, with what the first one, the reference,
/// has of the same name; and then what only the reference has, directory by directory. Links are not followed.
/// Everything is visited on any of the threads.
/// </summary>
/// <remarks>
/// A pair of directories is entered, its other entries are visited while those below its subdirectories are, and it is left
/// after all of them. The tops are not entered (the caller has opened them), but are left. A stopped walk leaves what it
/// has entered, too: <see cref="PairNode.IsWhole"/> is false then.
/// </remarks>
/// <typeparam name="TBuffers">The memory of one worker.</typeparam>
/// <param name="workers">How many threads may work.</param>
/// <param name="oneFileSystem">Whether other filesystems that are mounted in one of the trees are left out.</param>
/// <param name="cancellation">Ends the walk.</param>
internal abstract unsafe class PairWalk<TBuffers>(int workers, bool oneFileSystem, CancellationToken cancellation)
    : TreeWalk<PairNode, TBuffers>(workers, MaxOpen(workers), cancellation)
    where TBuffers : class, IWalkBuffers
{
    protected override PairNode NewNode() => new();

    /// <summary>
    /// A directory that both trees have, or one below a directory that is alone, was opened: its statuses are there.
    /// Returns whether to walk below it.
    /// </summary>
    protected virtual bool EnterDirectory(TBuffers buffers, PairNode node) => true;

    /// <summary>
    /// A directory of the second tree has no counterpart; it is open, and alone. Returns whether to walk below it: all
    /// there is alone as well.
    /// </summary>
    protected abstract bool EnterGap(TBuffers buffers, PairNode node, PairGap gap);

    /// <summary>
    /// Visits an entry of the second tree that is no directory, and what the reference has of the same name: see
    /// <see cref="TryLook"/>.
    /// </summary>
    /// <param name="buffers">The worker's memory.</param>
    /// <param name="node">The directory that it is in; it may be alone.</param>
    /// <param name="name">The name, ended by a zero.</param>
    /// <param name="type">Its type as it was listed: a DT_* value, never unknown.</param>
    protected abstract void VisitEntry(TBuffers buffers, PairNode node, byte* name, byte type);

    /// <summary>
    /// Visits an entry, of any type, that only the reference's directory has. All of the second directory has been visited.
    /// </summary>
    /// <param name="buffers">The worker's memory; its <see cref="IWalkBuffers.Entries"/> are in use.</param>
    /// <param name="node">The directory that it is in.</param>
    /// <param name="entry">Its name and its type, never unknown; valid until the visit ends.</param>
    protected abstract void VisitOnlyInReference(TBuffers buffers, PairNode node, DirectoryBatch.Entry entry);

    /// <summary>A directory, also one that is alone, is done with, and with it all below it; it is still open.</summary>
    protected virtual void LeaveDirectory(TBuffers buffers, PairNode node)
    {
    }

    /// <summary>Takes what has failed, in a directory or of an entry in it.</summary>
    /// <param name="node">The directory.</param>
    /// <param name="inReference">On which side.</param>
    /// <param name="failure">What has failed, with its path.</param>
    protected abstract void VisitFailure(PairNode node, bool inReference, BtrfsException failure);

    /// <summary>Takes a directory that is not entered.</summary>
    /// <param name="node">The directory.</param>
    /// <param name="inReference">On which side something is mounted on it.</param>
    /// <param name="mounted">What is mounted.</param>
    protected abstract void VisitPassedOver(PairNode node, bool inReference, OtherFileSystem mounted);

    /// <summary>
    /// Asks for the status of an entry in both trees. False where there is nothing to visit: it has gone since it was
    /// listed, or one of the trees cannot tell, which is reported.
    /// </summary>
    /// <param name="node">The directory.</param>
    /// <param name="name">The entry's name.</param>
    /// <param name="status">What it is in the second tree.</param>
    /// <param name="reference">What the reference has of that name.</param>
    /// <param name="isPaired">Whether the reference has anything of that name.</param>
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

    /// <summary>
    /// Finds what only the reference has: its entries are looked up where there are more than are paired already.
    /// </summary>
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

    /// <summary>Returns how many entries the reference has, or 0 where it cannot be listed.</summary>
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
