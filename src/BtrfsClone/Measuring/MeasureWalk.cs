using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Measuring;

/// <summary>Measures the files below one directory. Other filesystems mounted there are skipped.</summary>
internal sealed unsafe class MeasureWalk : TreeWalk<MeasuredDirectory, UsageWorker>
{
    private readonly UsageShared _shared;
    private readonly UsageTotals _totals;
    private readonly bool _byTree;

    /// <param name="shared">What all workers share.</param>
    /// <param name="totals">Receives the counts of the other workers.</param>
    /// <param name="byTree">Whether btrfs's trees are read.</param>
    /// <param name="workers">The maximum number of threads.</param>
    /// <param name="maxOpen">The maximum number of open directories.</param>
    public MeasureWalk(UsageShared shared, UsageTotals totals, bool byTree, int workers, int maxOpen)
        : base(workers, maxOpen, shared.Cancellation) =>
        (_shared, _totals, _byTree) = (shared, totals, byTree);

    protected override MeasuredDirectory NewNode() => new();

    protected override UsageWorker NewBuffers() => new(_shared, counted =>
    {
        lock (_totals)
        {
            _totals.Add(counted);
        }
    });

    protected override bool Open(UsageWorker buffers, MeasuredDirectory node)
    {
        CallResult result = node.Enter(out SystemCall call);
        if (result.Is(Errno.EXDEV))
        {
            _shared.TellPassedOver(node.Path);
        }
        else if (result.Failed && !FileOpener.IsGone(result))
        {
            Report(node, call, result);
        }

        if (result.Succeeded && node.Parent!.Usage is { } parent)
        {
            node.Usage = _shared.Ledger!.Add(parent, Utf8Z.Span(node.Name), isDirectory: true);
        }

        return result.Succeeded;
    }

    protected override void Visit(UsageWorker buffers, MeasuredDirectory node, in DirectoryBatch batch, bool isCaller)
    {
        if (_byTree)
        {
            buffers.Tree.Start(node);
        }

        foreach (DirectoryBatch.Entry entry in batch)
        {
            if (IsStopped)
            {
                return;
            }

            if (entry.Type == DirectoryEntry.TypeRegular)
            {
                if (_byTree)
                {
                    EntryUsage? usage = node.Usage is null ? null : _shared.Ledger!.Add(node.Usage, entry.Name, isDirectory: false);
                    buffers.Tree.Add(entry.Inode, entry.NamePointer, usage);
                }
                else
                {
                    buffers.AddFile(node, entry.NamePointer);
                    Pump(isCaller);
                }
            }
        }

        if (_byTree)
        {
            Count(buffers.Tree);
            Pump(isCaller);
        }
    }

    protected override void Finish(UsageWorker buffers, MeasuredDirectory node)
    {
    }

    protected override void ReportUnlisted(MeasuredDirectory node, CallResult result) => Report(node, SystemCall.GetDents, result);

    protected override void ReportLost(MeasuredDirectory node) =>
        _shared.Report(new BtrfsException(BtrfsError.ChangedMeanwhile, node.Path));

    protected override void PumpCaller() => _shared.Pump();

    private void Count(TreeUsage files)
    {
        try
        {
            files.Count();
        }
        catch (BtrfsException failure)
        {
            _shared.Report(failure);
        }
    }

    private void Report(MeasuredDirectory node, SystemCall call, CallResult result) =>
        _shared.Report(BtrfsException.FromErrno(result.Error, call, node.Path));
}
