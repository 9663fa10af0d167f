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
/// has of the same name. Links are not followed. Everything is visited on any of the threads.
/// </summary>
/// <typeparam name="TBuffers">The memory of one worker.</typeparam>
internal abstract unsafe class PairWalk<TBuffers>(int workers, CancellationToken cancellation)
    : TreeWalk<PairNode, TBuffers>(workers, MaxOpen(workers), cancellation)
    where TBuffers : class, IWalkBuffers
{
    private const int DotAndDotDot = 2;

    protected override PairNode NewNode() => new();

    /// <summary>Visits a regular file of the second tree, and what the reference has of the same name.</summary>
    protected abstract void VisitFile(TBuffers buffers, PairNode node, byte* name);

    /// <summary>Takes the path of an entry without a counterpart.</summary>
    protected abstract void VisitGap(string path, PairGap gap);

    /// <summary>Takes a directory of the second tree that has no counterpart; it is open, but not entered.</summary>
    protected virtual void VisitDirectoryGap(TBuffers buffers, PairNode node, PairGap gap) =>
        VisitGap(node.PathOf(false, []), gap);

    protected abstract void VisitFailure(BtrfsException failure);

    protected override bool Open(TBuffers buffers, PairNode node)
    {
        node.Reference = OpenDirectory.Below(node.Parent!.Reference, node.Name);
        node.Directory = OpenDirectory.Below(node.Parent.Directory, node.Name);
        if (node.Directory < 0)
        {
            Fail(node, inReference: false, "openat", node.Directory);
        }
        else if (node.Reference is -Errno.ENOENT or -Errno.ENOTDIR or -Errno.ELOOP)
        {
            bool isNone = node.Reference == -Errno.ENOENT;
            if (!isNone)
            {
                node.Parent.AddPaired();
            }

            VisitDirectoryGap(buffers, node, isNone ? PairGap.OnlyInPath : PairGap.OtherKind);
        }
        else if (node.Reference < 0)
        {
            Fail(node, inReference: true, "openat", node.Reference);
        }
        else
        {
            Sys.Stat(node.Reference, out node.ReferenceStatus);
            Sys.Stat(node.Directory, out node.DirectoryStatus);
            node.Parent.AddPaired();
            return true;
        }

        node.Close();
        return false;
    }

    protected override void Visit(TBuffers buffers, PairNode node, in DirectoryBatch batch, bool isCaller)
    {
        foreach (DirectoryBatch.Entry entry in batch)
        {
            if (IsStopped)
            {
                return;
            }

            if (entry.Type == DirectoryEntry.TypeRegular)
            {
                VisitFile(buffers, node, entry.NamePointer);
                Pump(isCaller);
            }
        }
    }

    /// <summary>
    /// Finds what only the reference has: its entries are looked up where there are more than are paired already.
    /// </summary>
    protected override void Finish(TBuffers buffers, PairNode node)
    {
        int entries = ListReference(buffers, node, lookUp: false);
        if (entries - DotAndDotDot > node.Paired && Sys.Seek(node.Reference, 0) >= 0)
        {
            ListReference(buffers, node, lookUp: true);
        }
    }

    protected override void ReportUnlisted(PairNode node, int result) =>
        Fail(node, inReference: false, "getdents64", result);

    protected override void ReportLost(PairNode node) =>
        VisitFailure(new BtrfsException(BtrfsError.ChangedMeanwhile, node.PathOf(false, [])));

    /// <summary>Returns how many entries the reference has.</summary>
    private int ListReference(TBuffers buffers, PairNode node, bool lookUp)
    {
        int entries = 0;
        int size;
        while (!IsStopped &&
            (size = Sys.ReadDirectory(node.Reference, buffers.Entries, DirectoryBatch.BufferSize)) != 0)
        {
            if (size < 0)
            {
                Fail(node, inReference: true, "getdents64", size);
                break;
            }

            foreach (DirectoryBatch.Entry entry in new DirectoryBatch(buffers.Entries, size))
            {
                entries++;
                if (lookUp && Sys.StatEntry(node.Directory, entry.NamePointer, out _) == -Errno.ENOENT)
                {
                    VisitGap(node.PathOf(true, entry.Name), PairGap.OnlyInReference);
                }
            }
        }

        return entries;
    }

    private static int MaxOpen(int workers) => (int)Math.Clamp((Sys.DescriptorLimit - 64) / 4, workers + 2, 256);

    private void Fail(PairNode node, bool inReference, string call, int result) =>
        VisitFailure(BtrfsException.FromErrno(-result, call, node.PathOf(inReference, [])));
}
