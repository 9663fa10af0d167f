using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>Clones everything below one directory.</summary>
internal sealed unsafe class CloneWalk(
    CloneContext context, EntryCloner cloner, DirectoryCloner directories, DirectoryPair top, CancellationToken cancellation)
    : TreeWalk<DirectoryPair, WorkerBuffers>(context.Descriptors.Workers, context.Descriptors.OpenPairs, cancellation)
{
    private readonly BatchCloner _batches = new(context, cloner, cancellation);

    private readonly CancellationToken _cancellation = cancellation;

    private readonly bool _followsLinks = context.Options.Links == LinkMode.FollowAll;

    private readonly string _topName = Utf8Z.ToText(Utf8Z.Span(top.Name));

    // The node of the top directory may be reused for another directory once that is finished.
    private readonly Statx _topDestination = top.DestinationStatus;

    /// <summary>Clones everything below the top directory, which is open, and closes it.</summary>
    public void Run(WorkerBuffers buffers) => Run(top, buffers);

    protected override DirectoryPair NewNode() => new();

    protected override WorkerBuffers NewBuffers() => context.NewBuffers();

    protected override bool Open(WorkerBuffers buffers, DirectoryPair node)
    {
        Failure failure = directories.Open(buffers, node, _topDestination);
        if (failure.Failed)
        {
            context.Report(failure, node.Parent!, Utf8Z.Span(node.Name));
        }

        return !failure.Failed;
    }

    protected override byte TypeOf(DirectoryPair node, DirectoryBatch.Entry entry)
    {
        byte type = base.TypeOf(node, entry);
        if (type != DirectoryEntry.TypeSymlink || !_followsLinks)
        {
            return type;
        }

        CallResult result = Sys.StatTarget(node.Source, entry.NamePointer, out Statx target);
        if (result.Succeeded)
        {
            return (byte)(target.FileType >> 12);
        }

        if (IsWanted(node, entry))
        {
            context.Report(Failure.Source(SystemCall.Statx, result).OnPath(), node, entry.Name);
        }

        return DirectoryEntry.TypePassedOver;
    }

    protected override bool IsWanted(DirectoryPair node, DirectoryBatch.Entry entry)
    {
        EntryKind kind = EntryKinds.Of((uint)entry.Type << 12);
        bool isOurs = context.Options.PointInTime && kind == EntryKind.Directory && SnapshotFolder.Kind.HasName(entry.Name);
        return !isOurs &&
            (context.Options.Filter is not { } filter || filter(node.NamesTo(top, _topName, entry.Name), kind));
    }

    protected override void Visit(WorkerBuffers buffers, DirectoryPair node, in DirectoryBatch batch, bool isCaller)
    {
        try
        {
            for (DirectoryBatch.Enumerator entries = batch.GetEnumerator(); entries.MoveNext() && !IsStopped;)
            {
                DirectoryBatch.Entry entry = entries.Current;
                // Taking the snapshot has written all dirty data to disk.
                if (entry.Type == DirectoryEntry.TypeRegular && !node.InSnapshot)
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
            _batches.GiveUp(buffers, node);
        }
    }

    /// <summary>Clones an entry, and reports a failure; or adds it to the files that wait to be cloned together.</summary>
    private bool Waits(WorkerBuffers buffers, DirectoryPair node, DirectoryBatch.Entry entry)
    {
        byte* name = entry.NamePointer;
        bool isRegular = entry.Type == DirectoryEntry.TypeRegular;
        Failure failure = SourceEntry.Open(
            buffers, node, name, isRegular, out Descriptor source, out Statx status, _followsLinks);
        if (!failure.Failed && isRegular && FileBatch.Takes(status, IsCarried(node, status)))
        {
            buffers.Batch.Add(source, status, name);
            if (!buffers.Batch.IsFull)
            {
                return true;
            }

            _batches.Run(buffers, node);
            return false;
        }

        failure = failure.Failed ? failure : cloner.Clone(buffers, node, source, name, status, name, _cancellation);
        if (failure.Failed)
        {
            context.Report(failure, node, entry.Name);
        }

        return false;
    }

    private bool IsCarried(DirectoryPair node, in Statx status) =>
        context.Carrier is not null && status.Device != node.DestinationStatus.Device;

    protected override void Finish(WorkerBuffers buffers, DirectoryPair node)
    {
        Failure failure = directories.Finish(buffers, node);
        if (failure.Failed)
        {
            context.Report(failure, node, []);
        }
    }

    protected override void ReportUnlisted(DirectoryPair node, CallResult result) =>
        context.Report(Failure.Source(SystemCall.GetDents, result), node, []);

    protected override void ReportLost(DirectoryPair node) =>
        context.Report(Failure.Refused(BtrfsError.ChangedMeanwhile, atSource: true), node, []);

    protected override void PumpCaller() => context.Pump();
}
