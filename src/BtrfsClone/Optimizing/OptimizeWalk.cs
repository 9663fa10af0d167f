using System.Runtime.InteropServices;
using BtrfsClone.Interop;
using BtrfsClone.Measuring;
using BtrfsClone.Walking;

namespace BtrfsClone.Optimizing;

/// <summary>Walks the files below one directory, on the calling thread only. Other filesystems mounted there are skipped.</summary>
internal sealed unsafe class OptimizeWalk : TreeWalk<MeasuredDirectory, OptimizeWalk.Memory>
{
    private readonly FileScan _scan;
    private readonly OptimizeCounters _counters;
    private readonly Action<BtrfsException> _report;
    private readonly Action<string> _tellPassedOver;
    private readonly Action _pump;
    private readonly List<ulong> _inodes = [];

    public OptimizeWalk(
        FileScan scan, OptimizeCounters counters, Action<BtrfsException> report, Action<string> tellPassedOver, Action pump, int maxOpen,
        CancellationToken cancellation)
        : base(workers: 1, maxOpen, cancellation) =>
        (_scan, _counters, _report, _tellPassedOver, _pump) = (scan, counters, report, tellPassedOver, pump);

    protected override MeasuredDirectory NewNode() => new();

    protected override Memory NewBuffers() => new();

    protected override bool Open(Memory buffers, MeasuredDirectory node)
    {
        CallResult result = node.Enter(out SystemCall call);
        if (result.Is(Errno.EXDEV))
        {
            _tellPassedOver(node.Path);
        }
        else if (result.Failed && !FileOpener.IsGone(result))
        {
            Report(node, call, result);
        }

        return result.Succeeded;
    }

    protected override void Visit(Memory buffers, MeasuredDirectory node, in DirectoryBatch batch, bool isCaller)
    {
        _inodes.Clear();
        foreach (DirectoryBatch.Entry entry in batch)
        {
            if (entry.Type == DirectoryEntry.TypeRegular)
            {
                _inodes.Add(entry.Inode);
            }
        }

        _inodes.Sort();
        _scan.Read(node.Descriptor, node.Path, _inodes);
        _counters.Files += _inodes.Count;
        Pump(isCaller);
    }

    protected override void Finish(Memory buffers, MeasuredDirectory node)
    {
    }

    protected override void ReportUnlisted(MeasuredDirectory node, CallResult result) => Report(node, SystemCall.GetDents, result);

    protected override void ReportLost(MeasuredDirectory node) =>
        _report(new BtrfsException(BtrfsError.ChangedMeanwhile, node.Path));

    protected override void PumpCaller() => _pump();

    private void Report(MeasuredDirectory node, SystemCall call, CallResult result) =>
        _report(BtrfsException.FromErrno(result.Error, call, node.Path));

    /// <summary>The buffer for a part of a listing.</summary>
    internal sealed class Memory : IWalkBuffers
    {
        public byte* Entries { get; } = (byte*)NativeMemory.Alloc(DirectoryBatch.BufferSize);

        public void Dispose() => NativeMemory.Free(Entries);
    }
}
