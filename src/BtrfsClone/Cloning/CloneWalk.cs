using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>Clones what is below one directory.</summary>
internal sealed unsafe class CloneWalk(CloneSession session, EntryCloner cloner, DirectoryCloner directories)
    : TreeWalk<DirectoryPair, WorkerBuffers>(session.Descriptors.Workers, session.Descriptors.OpenPairs, session.Cancellation)
{
    private readonly BatchCloner _batches = new(session, cloner);

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
        try
        {
            for (DirectoryBatch.Enumerator entries = batch.GetEnumerator(); entries.MoveNext() && !IsStopped;)
            {
                DirectoryBatch.Entry entry = entries.Current;
                // A snapshot has written out everything at once.
                if (entry.Type == DirectoryEntry.TypeRegular && !node.InMoment)
                {
                    buffers.Ahead.Before(node.Source, entries);
                }

                if (entry.Type is not (DirectoryEntry.TypeDirectory or DirectoryEntry.TypePassedOver) &&
                    !Waits(buffers, node, entry))
                {
                    Pump(isCaller);
                }
            }

            if (!IsStopped)
            {
                _batches.Run(buffers, node);
                Pump(isCaller);
            }
        }
        finally
        {
            BatchCloner.GiveUp(buffers, node);
        }
    }

    /// <summary>Clones an entry, and reports it where it fails; or lets it wait for more files like it.</summary>
    private bool Waits(WorkerBuffers buffers, DirectoryPair node, DirectoryBatch.Entry entry)
    {
        byte* name = entry.NamePointer;
        bool isRegular = entry.Type == DirectoryEntry.TypeRegular;
        Fault fault = SourceEntry.Open(buffers, node, name, isRegular, out int source, out Statx status);
        if (!fault.Failed && isRegular && FileBatch.Takes(status))
        {
            buffers.Batch.Add(source, status, name);
            if (!buffers.Batch.IsFull)
            {
                return true;
            }

            _batches.Run(buffers, node);
            return false;
        }

        fault = fault.Failed ? fault : cloner.Clone(buffers, node, source, name, status, name);
        if (fault.Failed)
        {
            session.Report(fault, node, entry.Name);
        }

        return false;
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
