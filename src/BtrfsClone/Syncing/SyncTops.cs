using BtrfsClone.Cloning;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>The source and destination of a sync: finds, checks and opens them.</summary>
internal sealed class SyncTops(SyncRun run, PointInTime? snapshots, string source, string destination)
{
    /// <summary>The source's status.</summary>
    public Statx SourceStatus { get; private set; }

    /// <summary>Whether the destination exists.</summary>
    public bool DestinationExists { get; private set; }

    public bool AreDirectories => SourceStatus.FileType == Sys.ModeDirectory;

    /// <summary>Checks both, and rejects what cannot be synced.</summary>
    /// <exception cref="BtrfsException">It is rejected.</exception>
    public void Check()
    {
        CallResult result = Sys.Stat(source, follow: true, out Statx status);
        if (result.Failed)
        {
            throw Failure.Source(SystemCall.Statx, result).OnPath().ToException(source);
        }

        SourceStatus = status;
        result = Sys.Stat(destination, follow: true, out Statx old);
        DestinationExists = !result.Failed;
        if (result.Failed && !result.Is(Errno.ENOENT))
        {
            throw Failure.Destination(SystemCall.Statx, result).OnPath().ToException(destination);
        }

        if (DestinationExists && old.IsSameFileAs(status))
        {
            throw new BtrfsException(BtrfsError.SameFile, destination);
        }

        if (DestinationExists && (old.FileType == Sys.ModeDirectory) != AreDirectories)
        {
            throw new BtrfsException(ErrorMeaning.OtherTypeAtTheTop, destination);
        }

        string container = DestinationDirectory.Nearest(CloneDestination.Into(
            DestinationExists && AreDirectories ? destination : CloneDestination.ParentOf(destination)));
        if (AreDirectories && Preconditions.IsAtOrBelow(container, status))
        {
            throw new BtrfsException(BtrfsError.DestinationInsideSource, destination);
        }

        if (AreDirectories && DestinationExists && Preconditions.IsAtOrBelow(source, old))
        {
            throw new BtrfsException(
                BtrfsError.DestinationInsideSource, source, description: "the source lies inside the destination");
        }

        CheckClonable(container);
    }

    /// <summary>Opens two existing directories, as a pair without a parent.</summary>
    /// <exception cref="BtrfsException">One of them cannot be opened.</exception>
    public SyncPair OpenExisting(SyncWorker worker)
    {
        var top = new SyncPair(source, destination);
        CallResult result = Sys.Open(
            destination, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NonBlock, out Descriptor directory);
        top.Destination = directory;
        top.Merged = true;
        Failure failure = result.Failed ? Failure.Destination(SystemCall.OpenAt, result) : Open(worker, top);
        return failure.Failed ? throw Closed(top, failure) : top;
    }

    /// <summary>Creates the destination directory, and opens both.</summary>
    /// <exception cref="BtrfsException">This failed.</exception>
    public SyncPair Create(SyncWorker worker, DirectorySync sync)
    {
        string real = RealSource();
        SyncPair parent = OpenParents(worker, real);
        var top = new SyncPair(
            parent, Utf8Z.From(CloneDestination.NameOf(real)), Utf8Z.From(CloneDestination.NameOf(destination)));
        Failure failure = sync.Open(worker, top, default);
        parent.Close();
        return failure.Failed ? throw Closed(top, failure) : top;
    }

    /// <summary>Opens the parent directories of two files, as a pair.</summary>
    /// <exception cref="BtrfsException">One of them cannot be opened.</exception>
    public SyncPair OpenParents(SyncWorker worker) => OpenParents(worker, RealSource());

    /// <summary>The path of the source itself, if a link to it was given.</summary>
    public string RealSource()
    {
        CallResult result = Sys.Stat(source, follow: false, out Statx named);
        if (result.Failed)
        {
            throw Failure.Source(SystemCall.Statx, result).OnPath().ToException(source);
        }

        if (named.FileType != Sys.ModeSymlink)
        {
            return source;
        }

        result = Sys.Open(source, OpenFlags.PathOnly, out Descriptor opened);
        if (result.Failed)
        {
            throw Failure.Source(SystemCall.OpenAt, result).ToException(source);
        }

        using var scope = new DescriptorScope(opened);
        byte[] path = RealPath.Of(opened);
        return path.Length > 0 ? Utf8Z.ToText(path) : throw Failure.Source(SystemCall.ReadlinkAt, Errno.ENOENT).ToException(source);
    }

    private SyncPair OpenParents(SyncWorker worker, string real)
    {
        string directory = CloneDestination.ParentOf(destination);
        var parent = new SyncPair(CloneDestination.ParentOf(real), directory) { Merged = true };
        parent.Destination = DestinationDirectory.Open(CloneDestination.Into(directory));
        Failure failure = DirectoryCloner.OpenTop(worker.Cloning, parent, orPathOnly: true);
        return failure.Failed ? throw Closed(parent, failure) : parent;
    }

    private Failure Open(SyncWorker worker, SyncPair top)
    {
        Failure failure = DirectoryCloner.OpenTop(worker.Cloning, top, orPathOnly: false);
        failure = failure.Failed || snapshots is null ? failure : snapshots.Enter(top);
        return failure.Failed ? failure : DirectoryTraits.ReadPair(worker.Cloning, top);
    }

    private static BtrfsException Closed(SyncPair pair, Failure failure)
    {
        BtrfsException exception = failure.ToException(failure.AtSource ? pair.SourcePath : pair.DestinationPath);
        pair.Close();
        return exception;
    }

    private void CheckClonable(string container)
    {
        if (run.Options.Reflink == ReflinkMode.Auto)
        {
            return;
        }

        string place = AreDirectories ? source : CloneDestination.ParentOf(source);
        int flags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NonBlock;
        bool isOpen = !Sys.Open(place, flags, out Descriptor from).Failed;
        using var fromScope = new DescriptorScope(from);
        isOpen &= !Sys.Open(container, flags, out Descriptor to).Failed;
        using var toScope = new DescriptorScope(to);
        BtrfsError? reason = isOpen ? ExtentSharing.WhyNot(from, SourceStatus, to) : null;
        if (reason is { } error)
        {
            throw new BtrfsException(error, destination);
        }
    }
}
