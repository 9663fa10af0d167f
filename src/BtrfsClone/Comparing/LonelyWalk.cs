using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Comparing;

/// <summary>Counts the files below a directory that has no counterpart.</summary>
internal sealed unsafe class LonelyWalk(CompareSession session, CancellationToken cancellation)
    : TreeWalk<PairNode, CompareWorker>(1, MaxOpen, cancellation)
{
    private static int MaxOpen => (int)Math.Clamp((Sys.DescriptorLimit - 64) / 4, 2, 256);

    protected override PairNode NewNode() => new();

    protected override CompareWorker NewBuffers() => throw new InvalidOperationException("One worker is all.");

    protected override bool Open(CompareWorker buffers, PairNode node)
    {
        node.Directory = OpenDirectory.Below(node.Parent!.Directory, node.Name);
        if (node.Directory < 0)
        {
            Fail(node, [], "openat", node.Directory);
            return false;
        }

        Sys.Stat(node.Directory, out node.DirectoryStatus);
        return true;
    }

    protected override void Visit(CompareWorker buffers, PairNode node, in DirectoryBatch batch, bool isCaller)
    {
        foreach (DirectoryBatch.Entry entry in batch)
        {
            if (IsStopped)
            {
                return;
            }

            if (entry.Type == DirectoryEntry.TypeRegular)
            {
                int result = Sys.StatEntry(node.Directory, entry.NamePointer, out Statx status);
                if (result >= 0)
                {
                    session.AddFile(
                        buffers, node, entry.Name, new FileFinding(IsFile: true, (long)status.Size), PairGap.OnlyInPath);
                }
                else if (result != -Errno.ENOENT)
                {
                    Fail(node, entry.Name, "statx", result);
                }

                Pump(isCaller: false);
            }
        }
    }

    protected override void Finish(CompareWorker buffers, PairNode node)
    {
    }

    protected override void ReportUnlisted(PairNode node, int result) => Fail(node, [], "getdents64", result);

    protected override void ReportLost(PairNode node) =>
        session.AddFailure(new BtrfsException(BtrfsError.ChangedMeanwhile, node.PathOf(false, [])));

    protected override void PumpCaller()
    {
    }

    private void Fail(PairNode node, ReadOnlySpan<byte> name, string call, int result) =>
        session.AddFailure(BtrfsException.FromErrno(-result, call, node.PathOf(false, name)));
}
