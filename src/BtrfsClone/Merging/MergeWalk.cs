using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Merging;

/// <summary>Merges all files of a tree with those of the reference.</summary>
/// <param name="options">How to merge.</param>
/// <param name="report">Receives the result for each entry.</param>
/// <param name="pump">Called from time to time on the session's thread; it may throw to end the walk.</param>
/// <param name="cancellation">Cancels the walk.</param>
internal sealed unsafe class MergeWalk(
    MergeOptions options, MergeReport report, Action pump, CancellationToken cancellation)
    : PairWalk<MergeWorker>(WorkerLimit.Usual, options.OneFileSystem, cancellation)
{
    protected override MergeWorker NewBuffers() => new(options.Preview, report.Counters, ThrowIfStopped);

    protected override bool EnterGap(MergeWorker buffers, PairNode node, PairGap gap)
    {
        report.AddGap(node.PathOf(false, []), gap);
        return false;
    }

    protected override void VisitEntry(MergeWorker buffers, PairNode node, byte* name, byte type)
    {
        if (type != DirectoryEntry.TypeRegular)
        {
            return;
        }

        ReadOnlySpan<byte> text = Utf8Z.Span(name);
        string path = node.PathOf(false, text);

        // Checked before opening: opening a device can have side effects.
        CallResult found = Sys.StatEntry(node.Reference, name, out Statx status);
        if (found.Is(Errno.ENOENT) || (found.Succeeded && status.FileType != Sys.ModeRegular))
        {
            report.AddGap(path, found.Failed ? PairGap.OnlyInPath : PairGap.OtherKind);
            return;
        }

        node.AddPaired();

        try
        {
            report.Add(buffers.Merge(
                node.Reference, name, node.PathOf(true, text), node.Directory, name, path, OpenFlags.NoFollow));
        }
        catch (BtrfsException failure)
        {
            VisitFailure(node, inReference: false, failure);
        }
    }

    protected override void VisitOnlyInReference(MergeWorker buffers, PairNode node, DirectoryBatch.Entry entry) =>
        report.AddGap(node.PathOf(true, entry.Name), PairGap.OnlyInReference);

    protected override void VisitFailure(PairNode node, bool inReference, BtrfsException failure) =>
        report.AddFailure(failure);

    protected override void VisitPassedOver(PairNode node, bool inReference, OtherFileSystem mounted) =>
        report.TellPassedOver(node.PathOf(inReference, []), mounted);

    protected override void PumpCaller() => pump();

    /// <summary>Ends a helper thread in the middle of a file.</summary>
    private void ThrowIfStopped()
    {
        if (IsStopped)
        {
            throw new OperationCanceledException();
        }
    }
}
