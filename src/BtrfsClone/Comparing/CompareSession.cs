using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Comparing;

/// <summary>
/// Compares files and trees with a reference by where their bytes are stored: whether they are clones, and how much of
/// them still is. It is used from one thread at a time, and uses several by itself.
/// </summary>
/// <remarks>
/// Both sides have to be readable. What is dirty is written out first, since its place is not known before; what is
/// written while it is compared may be missed. With CAP_SYS_ADMIN, btrfs's trees tell the place of every byte
/// (BTRFS_IOC_TREE_SEARCH_V2); without, FIEMAP does, but for compressed data only the extent, so that such data is read
/// and has to be the same as well. Memory grows only with the entries that one side alone has.
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

    /// <summary>Begins an invocation.</summary>
    /// <param name="options">How to compare.</param>
    /// <param name="events">Takes what there is to tell, on the thread that calls <see cref="Compare"/>.</param>
    public CompareSession(ComparisonOptions options, CompareEvents events)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(events);
        (_options, _events) = (options, events);
        _pump = new EventPump(events);
        _report = NewReport("", "");
    }

    /// <summary>How many files have been compared so far.</summary>
    public long Files => _report.Files;

    /// <summary>Compares a file with a file, or a directory with a directory by the relative paths below them.</summary>
    /// <param name="reference">The file or directory to compare with; a symbolic link is followed.</param>
    /// <param name="path">The file or directory; a symbolic link is followed.</param>
    /// <param name="cancellation">Ends it at once.</param>
    /// <returns>What it came to; of a tree, all files together.</returns>
    /// <exception cref="BtrfsException">
    /// <see cref="BtrfsError.SourceNotFound"/>; <see cref="BtrfsError.NotRegularFile"/>: they are not two files, nor two
    /// directories; <see cref="BtrfsError.PermissionDenied"/>; <see cref="BtrfsError.FiemapNotSupported"/>.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
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

    /// <summary>Releases what the session holds.</summary>
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
        // What is handed out one by one is not piled up: a single thread finds it.
        int workers = _events.OnEntry is null ? WorkerLimit.Usual : 1;
        new CompareWalk(_report, NewWorker, _pump.Pump, workers, _options.OneFileSystem, _cancellation)
            .Run(PairNode.OpenTops(reference, path), _worker);
    }

    private CompareReport NewReport(string reference, string path) => new(reference, path, _events, _pump);

    /// <summary>Another worker for the present comparison; what it has found counts once it is disposed of.</summary>
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
