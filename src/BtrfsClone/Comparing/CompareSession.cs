using System.Collections.Concurrent;
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
/// using var session = new CompareSession(failure => Console.Error.WriteLine(failure.Message));
/// Console.WriteLine(session.Compare("/srv/tree", "/srv/clone", CancellationToken.None).IsClone);
/// </code>
/// </example>
public sealed class CompareSession : IDisposable
{
    private const int TickMilliseconds = 50;

    private readonly Action<BtrfsException> _onFailure;
    private readonly Action<CompareResult>? _onEntry;
    private readonly Action? _onTick;
    private readonly ConcurrentQueue<BtrfsException> _failures = new();
    private readonly CompareWorker _worker = new();
    private CompareReport _report = new("", "");
    private CancellationToken _cancellation;
    private long _nextTick;

    /// <summary>Begins. All callbacks come on the thread that calls <see cref="Compare"/>.</summary>
    /// <param name="onFailure">Takes each failure inside a tree.</param>
    /// <param name="onEntry">
    /// Takes each file of a tree, and each entry without counterpart; or the file itself. They are compared on one thread.
    /// </param>
    /// <param name="onTick">Is called now and then, at most every 50 ms.</param>
    public CompareSession(
        Action<BtrfsException> onFailure, Action<CompareResult>? onEntry = null, Action? onTick = null)
    {
        ArgumentNullException.ThrowIfNull(onFailure);
        (_onFailure, _onEntry, _onTick) = (onFailure, onEntry, onTick);
    }

    /// <summary>False to compare as those do who may not read the trees.</summary>
    internal bool MayReadTrees { get; init; } = true;

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
        _report = new CompareReport(reference, path);
        _worker.Start(new CompareTotals(), MayReadTrees, cancellation);
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

        Drain();
        cancellation.ThrowIfCancellationRequested();
        _report.Add(_worker.Totals);
        CompareResult result = _report.Sum();
        if (isFile)
        {
            _onEntry?.Invoke(result);
        }

        return result;
    }

    /// <summary>Releases what the session holds.</summary>
    public void Dispose() => _worker.Dispose();

    /// <summary>Another worker for the present comparison; what it has found counts once it is disposed of.</summary>
    internal CompareWorker NewWorker()
    {
        var worker = new CompareWorker(_report.Add);
        worker.Start(new CompareTotals(), MayReadTrees, _cancellation);
        return worker;
    }

    internal void AddFailure(BtrfsException failure)
    {
        _report.CountFailure();
        _failures.Enqueue(failure);
    }

    /// <summary>Takes an entry without counterpart.</summary>
    internal void AddGap(string path, PairGap gap, bool isFile)
    {
        _report.AddGap(path, gap);

        // A file is told of with its bytes.
        if (!isFile)
        {
            _onEntry?.Invoke(_report.Entry(path, gap));
        }
    }

    /// <summary>Takes a regular file of the second tree.</summary>
    internal void AddFile(
        CompareWorker worker, PairNode node, ReadOnlySpan<byte> name, in FileFinding finding, PairGap? gap = null)
    {
        _report.CountFile();
        worker.Totals.Add(finding);
        _onEntry?.Invoke(_report.Entry(node.PathOf(false, name), gap, finding));
    }

    /// <summary>Hands out failures and lets the front end show progress; on the caller's thread only.</summary>
    internal void Pump()
    {
        long now = Environment.TickCount64;
        if (now >= _nextTick)
        {
            _nextTick = now + TickMilliseconds;
            Drain();
            _onTick?.Invoke();
        }
    }

    private static Statx Look(string path)
    {
        int result = Sys.Stat(path, follow: true, out Statx status);
        if (result < 0)
        {
            throw BtrfsException.FromErrno(-result, "statx", path);
        }

        return status.FileType is Sys.ModeRegular or Sys.ModeDirectory
            ? status
            : throw new BtrfsException(
                BtrfsError.NotRegularFile, path, description: "neither a regular file nor a directory");
    }

    private void CompareTrees(string reference, string path)
    {
        // What is handed out one by one is not piled up: a single thread finds it.
        int workers = _onEntry is null ? Math.Clamp(Environment.ProcessorCount, 1, 64) : 1;
        new CompareWalk(this, workers, _cancellation).Run(PairNode.OpenTops(reference, path), _worker);
    }

    private void CompareFiles(string referencePath, string path)
    {
        ComparedFile reference = OpenNamed(referencePath);
        try
        {
            ComparedFile file = OpenNamed(path);
            try
            {
                _worker.Totals.Add(_worker.Compare(reference, file));
                _report.CountFile();
            }
            finally
            {
                Sys.Close(file.Descriptor);
            }
        }
        finally
        {
            Sys.Close(reference.Descriptor);
        }
    }

    private static unsafe ComparedFile OpenNamed(string path)
    {
        fixed (byte* name = Utf8Z.From(path))
        {
            int descriptor = ComparedFile.Open(Sys.WorkingDirectory, name, 0);
            if (descriptor < 0)
            {
                throw BtrfsException.FromErrno(-descriptor, "openat", path);
            }

            Sys.Stat(descriptor, out Statx status);
            return new ComparedFile(descriptor, path, status);
        }
    }

    private void Drain()
    {
        while (_failures.TryDequeue(out BtrfsException? failure))
        {
            _onFailure(failure);
        }
    }
}
