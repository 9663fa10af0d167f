using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Syncing;

/// <summary>Makes everything below a pair of directories equal.</summary>
internal sealed unsafe class SyncWalk(
    SyncRun run, DirectorySync directories, EntrySync entries, Func<SyncWorker> newWorker, Statx topDestination,
    Action? pump, CancellationToken cancellation)
    : TreeWalk<DirectoryPair, SyncWorker>(
        run.Context.Descriptors.Workers, run.Context.Descriptors.OpenPairs, cancellation)
{
    protected override DirectoryPair NewNode() => new SyncPair();

    protected override SyncWorker NewBuffers() => newWorker();

    protected override bool Open(SyncWorker buffers, DirectoryPair node)
    {
        Failure failure = directories.Open(buffers, (SyncPair)node, topDestination);
        if (failure.Failed)
        {
            run.Context.Report(failure, node.Parent!, Utf8Z.Span(node.Name));
            run.Counters.AddShare(met: 0, ((SyncPair)node).Share);
        }

        return !failure.Failed;
    }

    protected override bool IsWanted(DirectoryPair node, DirectoryBatch.Entry entry)
    {
        bool isWanted = run.IsWanted(node, entry.Name, EntryKinds.Of((uint)entry.Type << 12));
        if (isWanted && entry.Type == DirectoryEntry.TypeDirectory)
        {
            ((SyncPair)node).Expect();
        }

        return isWanted;
    }

    protected override void Visit(SyncWorker buffers, DirectoryPair node, in DirectoryBatch batch, bool isCaller)
    {
        var pair = (SyncPair)node;
        Expect(buffers, pair, batch);
        for (DirectoryBatch.Enumerator listed = batch.GetEnumerator(); listed.MoveNext() && !IsStopped;)
        {
            DirectoryBatch.Entry entry = listed.Current;
            if (entry.Type is DirectoryEntry.TypeDirectory or DirectoryEntry.TypePassedOver)
            {
                continue;
            }

            byte* name = entry.NamePointer;
            bool isRegular = entry.Type == DirectoryEntry.TypeRegular;
            entries.SyncAndReport(buffers, pair, new SyncEntry(name, name, isRegular, entry.Inode));
            Pump(isCaller);
        }
    }

    /// <summary>Determines which inodes will be compared, so that the trees are read in large batches.</summary>
    private static void Expect(SyncWorker worker, SyncPair pair, in DirectoryBatch batch)
    {
        if (!worker.ReadsTrees || !pair.Merged)
        {
            return;
        }

        List<ulong> expected = worker.Expected;
        expected.Clear();
        foreach (DirectoryBatch.Entry entry in batch)
        {
            if (entry.Type is not (DirectoryEntry.TypeDirectory or DirectoryEntry.TypePassedOver))
            {
                expected.Add(entry.Inode);
            }
        }

        if (expected.Count > 0)
        {
            expected.Sort();
            worker.Names.Read(pair);
            worker.InodesOf(pair)!.Expect(expected, worker.Names.Inodes);
        }
    }

    protected override void Finish(SyncWorker buffers, DirectoryPair node)
    {
        run.Counters.AddShare(met: 0, ((SyncPair)node).Share);
        Failure failure = directories.Finish(buffers, (SyncPair)node, isWhole: node.Work.IsWhole && !IsStopped);
        if (failure.Failed)
        {
            run.Context.Report(failure, node, []);
        }
    }

    protected override void ReportUnlisted(DirectoryPair node, CallResult result) =>
        run.Context.Report(Failure.Source(SystemCall.GetDents, result), node, []);

    protected override void ReportLost(DirectoryPair node) =>
        run.Context.Report(Failure.Refused(BtrfsError.ChangedMeanwhile, atSource: true), node, []);

    protected override void PumpCaller() => pump?.Invoke();
}
