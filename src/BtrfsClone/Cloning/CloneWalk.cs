using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>Clones what is below one directory.</summary>
internal sealed unsafe class CloneWalk(CloneSession session, EntryCloner cloner, DirectoryCloner directories)
    : TreeWalk<DirectoryPair, WorkerBuffers>(session.Descriptors.Workers, session.Descriptors.OpenPairs, session.Cancellation)
{
    protected override DirectoryPair NewNode() => new();

    protected override WorkerBuffers NewBuffers() => session.NewBuffers();

    protected override bool Open(WorkerBuffers buffers, DirectoryPair node)
    {
        Fault fault = directories.Open(buffers, node);
        if (fault.Failed)
        {
            session.Report(fault, node.Parent!, Utf8Z.Span(node.Name));
        }

        return !fault.Failed;
    }

    protected override bool IsWanted(DirectoryBatch.Entry entry) =>
        session.IsWanted(entry.NamePointer, CloneSession.KindOf((uint)entry.Type << 12));

    protected override void Visit(WorkerBuffers buffers, DirectoryPair node, in DirectoryBatch batch, bool isCaller)
    {
        for (DirectoryBatch.Enumerator entries = batch.GetEnumerator(); entries.MoveNext();)
        {
            if (IsStopped)
            {
                return;
            }

            DirectoryBatch.Entry entry = entries.Current;
            // A snapshot has written out everything at once.
            if (entry.Type == DirectoryEntry.TypeRegular && !node.InMoment)
            {
                buffers.Ahead.Before(node.Source, entries);
            }

            if (entry.Type is not (DirectoryEntry.TypeDirectory or DirectoryEntry.TypePassedOver))
            {
                byte* name = entry.NamePointer;
                Fault fault = cloner.Clone(buffers, node, name, name, entry.Type == DirectoryEntry.TypeRegular);
                if (fault.Failed)
                {
                    session.Report(fault, node, entry.Name);
                }

                Pump(isCaller);
            }
        }
    }

    protected override void Finish(WorkerBuffers buffers, DirectoryPair node)
    {
        Fault fault = DirectoryCloner.Finish(buffers, node);
        if (fault.Failed)
        {
            session.Report(fault, node, []);
        }
    }

    protected override void ReportUnlisted(DirectoryPair node, int result) =>
        session.Report(Fault.Source("getdents64", result), node, []);

    protected override void ReportLost(DirectoryPair node) =>
        session.Report(Fault.Refused(BtrfsError.ChangedMeanwhile, atSource: true), node, []);

    protected override void PumpCaller() => session.Pump();
}
