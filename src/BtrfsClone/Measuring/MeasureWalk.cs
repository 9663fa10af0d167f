using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Measuring;

/// <summary>Measures the files below one directory. Other filesystems that are mounted there are passed over.</summary>
internal sealed unsafe class MeasureWalk : TreeWalk<MeasuredDirectory, UsageWorker>
{
    private readonly UsageShared _shared;
    private readonly UsageTotals _totals;
    private readonly bool _byTree;
    private readonly Action _pump;

    /// <param name="shared">What all workers share.</param>
    /// <param name="totals">Takes what the other workers have counted.</param>
    /// <param name="byTree">Whether btrfs's trees are read.</param>
    /// <param name="workers">How many threads may work.</param>
    /// <param name="maxOpen">How many directories may be open at once.</param>
    /// <param name="pump">Is called now and then on the calling thread.</param>
    public MeasureWalk(UsageShared shared, UsageTotals totals, bool byTree, int workers, int maxOpen, Action pump)
        : base(workers, maxOpen, shared.Cancellation) =>
        (_shared, _totals, _byTree, _pump) = (shared, totals, byTree, pump);

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
        MeasuredDirectory parent = node.Parent!;
        int descriptor = OpenDirectory.Below(parent.Descriptor, node.Name);
        if (descriptor < 0)
        {
            if (!FileOpener.IsGone(descriptor))
            {
                Report(node, "openat", descriptor);
            }

            return false;
        }

        node.Take(descriptor);
        int result = Sys.Stat(descriptor, out node.Status);
        node.Subvolume = parent.Subvolume;
        if (result < 0)
        {
            Report(node, "statx", result);
        }
        else if (node.Status.Device == parent.Status.Device)
        {
            return true;
        }
        else if (FileSystems.AreOne(parent.Descriptor, parent.Status, descriptor, node.Status))
        {
            result = Sys.SubvolumeId(descriptor, out ulong subvolume);
            node.Subvolume = subvolume;
            if (result >= 0)
            {
                return true;
            }

            Report(node, Sys.SubvolumeCall, result);
        }

        node.Close();
        return false;
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
                    buffers.Tree.Add(entry.Inode, entry.NamePointer);
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

    protected override void ReportUnlisted(MeasuredDirectory node, int result) => Report(node, "getdents64", result);

    protected override void ReportLost(MeasuredDirectory node) =>
        _shared.Failures.Enqueue(new BtrfsException(BtrfsError.ChangedMeanwhile, node.Path));

    protected override void PumpCaller() => _pump();

    private void Count(TreeUsage files)
    {
        try
        {
            files.Count();
        }
        catch (BtrfsException failure)
        {
            _shared.Failures.Enqueue(failure);
        }
    }

    private void Report(MeasuredDirectory node, string call, int result) =>
        _shared.Failures.Enqueue(BtrfsException.FromErrno(-result, call, node.Path));
}
