using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Merging;

/// <summary>Merges all files of a tree with those of the reference.</summary>
internal sealed unsafe class MergeWalk(MergeSession session, CancellationToken cancellation)
    : PairWalk<MergeWorker>(Math.Clamp(Environment.ProcessorCount, 1, 64), cancellation)
{
    protected override MergeWorker NewBuffers() => session.NewWorker(ThrowIfStopped);

    protected override void VisitFile(MergeWorker buffers, PairNode node, byte* name)
    {
        var text = new ReadOnlySpan<byte>(name, Utf8Z.Length(name));
        string path = node.PathOf(false, text);

        // Looked at before it is opened: opening a device can do something by itself.
        int found = Sys.StatEntry(node.Reference, name, out Statx status);
        if (found == -Errno.ENOENT || (found >= 0 && status.FileType != Sys.ModeRegular))
        {
            VisitGap(path, found < 0 ? PairGap.OnlyInPath : PairGap.OtherKind);
            return;
        }

        node.AddPaired();

        try
        {
            MergeResult result = MergeSession.MergeFiles(
                buffers, node.Reference, name, node.PathOf(true, text), node.Directory, name, path, OpenFlags.NoFollow);
            session.Report(new MergeNews(Result: result));
        }
        catch (BtrfsException failure)
        {
            VisitFailure(failure);
        }
    }

    protected override void VisitGap(string path, PairGap gap) => session.Report(new MergeNews(GapPath: path, Gap: gap));

    protected override void VisitFailure(BtrfsException failure) => session.Report(new MergeNews(Failure: failure));

    protected override void PumpCaller() => session.Pump();

    /// <summary>Ends a helper in the middle of a file.</summary>
    private void ThrowIfStopped()
    {
        if (IsStopped)
        {
            throw new OperationCanceledException();
        }
    }
}

/// <summary>Something that the front end is to be told: one of the three.</summary>
internal readonly record struct MergeNews(
    MergeResult? Result = null, BtrfsException? Failure = null, string? GapPath = null, PairGap Gap = default);
