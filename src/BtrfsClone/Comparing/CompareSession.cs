using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Comparing;

/// <summary>
/// Compares files and trees with a reference by the disk addresses of their data: whether they are clones, and how much is still
/// shared. Must be used from one thread at a time; uses several threads internally.
/// </summary>
/// <remarks>
/// Both sides must be readable. Dirty data is written to disk first, since it has no address before; writes during the comparison
/// may be missed. With CAP_SYS_ADMIN, the address of every byte is read from btrfs's trees (BTRFS_IOC_TREE_SEARCH_V2); otherwise
/// from FIEMAP, which for compressed data gives only that of the extent, so such data is also compared by content. Memory grows
/// only with the number of entries that exist on one side only.
/// </remarks>
/// <example>
/// <code>
/// var events = new CompareEvents { OnFailure = failure => Console.Error.WriteLine(failure.Message) };
/// using var session = new CompareSession(new ComparisonOptions(), events);
/// Console.WriteLine(session.Compare("/srv/tree", "/srv/clone", CancellationToken.None).IsClone);
/// </code>
/// </example>
public sealed class CompareSession : IDisposable
{
    private readonly ComparisonOptions _options;
    private readonly CompareEvents _events;
    private readonly EventPump _pump;
    private readonly CompareWorker _worker = new();
    private CompareReport _report;
    private CancellationToken _cancellation;

    /// <summary>Creates a session.</summary>
    /// <param name="options">How to compare.</param>
    /// <param name="events">Receives events, on the thread that calls <see cref="Compare"/>.</param>
    public CompareSession(ComparisonOptions options, CompareEvents events)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(events);
        (_options, _events) = (options, events);
        _pump = new EventPump(events);
        _report = NewReport("", "");
    }

    /// <summary>The number of files compared so far.</summary>
    public long Files => _report.Files;

    /// <summary>Compares two files, or two directories by relative path.</summary>
    /// <param name="reference">The file or directory to compare with; a symbolic link is followed.</param>
    /// <param name="path">The file or directory; a symbolic link is followed.</param>
    /// <param name="cancellation">Cancels immediately.</param>
    /// <returns>The result; for a tree, of all files together.</returns>
    /// <exception cref="BtrfsException">
    /// <see cref="BtrfsError.SourceNotFound"/>; <see cref="BtrfsError.NotRegularFile"/>: they are neither two files nor two
    /// directories; <see cref="BtrfsError.PermissionDenied"/>; <see cref="BtrfsError.FiemapNotSupported"/>.
    /// </exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public CompareResult Compare(string reference, string path, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(path);
        cancellation.ThrowIfCancellationRequested();
        _cancellation = cancellation;
        _report = NewReport(reference, path);
        _worker.Start(new CompareTotals(), _options.MayReadTrees, cancellation);
        Statx referenceStatus = Look(reference);
        Statx status = Look(path);
        if (referenceStatus.FileType != status.FileType)
        {
            throw new BtrfsException(
                BtrfsError.NotRegularFile, path, description: "a file and a directory cannot be compared");
        }

        bool isFile = status.FileType == Sys.ModeRegular;
        if (isFile)
        {
            CompareFiles(reference, path);
        }
        else
        {
            CompareTrees(reference, path);
        }

        _pump.Drain();
        cancellation.ThrowIfCancellationRequested();
        _report.Add(_worker.Totals);
        CompareResult result = _report.Sum();
        if (isFile)
        {
            _events.OnEntry?.Invoke(result);
        }

        return result;
    }

    /// <summary>Releases the resources of the session.</summary>
    public void Dispose() => _worker.Dispose();

    private static Statx Look(string path)
    {
        CallResult result = Sys.Stat(path, follow: true, out Statx status);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.Statx, path);
        }

        return status.FileType is Sys.ModeRegular or Sys.ModeDirectory
            ? status
            : throw new BtrfsException(
                BtrfsError.NotRegularFile, path, description: "neither a regular file nor a directory");
    }

    private void CompareTrees(string reference, string path)
    {
        // Results that are reported one by one must not accumulate, so a single thread produces them.
        int workers = _events.OnEntry is null ? WorkerLimit.Usual : 1;
        new CompareWalk(_report, NewWorker, _pump.Pump, workers, _options.OneFileSystem, _cancellation)
            .Run(PairNode.OpenTops(reference, path), _worker);
    }

    private CompareReport NewReport(string reference, string path) => new(reference, path, _events, _pump);

    /// <summary>Another worker for the current comparison; its results are added when it is disposed of.</summary>
    private CompareWorker NewWorker()
    {
        var worker = new CompareWorker(_report.Add);
        worker.Start(new CompareTotals(), _options.MayReadTrees, _cancellation);
        return worker;
    }

    private void CompareFiles(string referencePath, string path)
    {
        ComparedFile reference = OpenNamed(referencePath);
        using DescriptorScope closingReference = new(reference.Descriptor);
        ComparedFile file = OpenNamed(path);
        using DescriptorScope closingFile = new(file.Descriptor);
        _worker.Totals.Add(_worker.Compare(reference, file));
        _report.CountFile();
    }

    private static unsafe ComparedFile OpenNamed(string path)
    {
        fixed (byte* name = Utf8Z.From(path))
        {
            CallResult result = ComparedFile.Open(Descriptor.WorkingDirectory, name, 0, out Descriptor file);
            if (result.Failed)
            {
                throw BtrfsException.FromErrno(result.Error, SystemCall.OpenAt, path);
            }

            _ = Sys.Stat(file, out Statx status);
            return new ComparedFile(file, path, status);
        }
    }
}
