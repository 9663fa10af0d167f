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
    private readonly object _gate = new();
    private readonly Dictionary<PairGap, List<string>> _gaps = [];
    private readonly CompareWorker _worker = new();
    private CompareTotals _totals = new();
    private CancellationToken _cancellation;
    private string _reference = "";
    private string _path = "";
    private long _files;
    private long _failed;
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
    public long Files => Interlocked.Read(ref _files);

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
        (_reference, _path, _cancellation) = (reference, path, cancellation);
        _totals = new CompareTotals();
        _worker.Start(_totals, MayReadTrees, cancellation);
        _gaps.Clear();
        _files = _failed = 0;
        Statx referenceStatus = Look(reference);
        Statx status = Look(path);
        if (referenceStatus.FileType != status.FileType)
        {
            throw new BtrfsException(
                BtrfsError.NotRegularFile, path, description: "a file and a directory cannot be compared");
        }

        if (status.FileType == Sys.ModeDirectory)
        {
            CompareTrees();
        }
        else
        {
            CompareNamed();
        }

        Drain();
        cancellation.ThrowIfCancellationRequested();
        return Result();
    }

    /// <summary>Releases what the session holds.</summary>
    public void Dispose() => _worker.Dispose();

    /// <summary>Another worker for the present comparison; what it has found counts once it is disposed of.</summary>
    internal CompareWorker NewWorker()
    {
        var worker = new CompareWorker(found =>
        {
            lock (_gate)
            {
                _totals.Add(found);
            }
        });
        worker.Start(new CompareTotals(), MayReadTrees, _cancellation);
        return worker;
    }

    internal void AddFailure(BtrfsException failure)
    {
        Interlocked.Increment(ref _failed);
        _failures.Enqueue(failure);
    }

    /// <summary>Takes an entry without counterpart.</summary>
    internal void AddGap(string path, PairGap gap, bool isFile)
    {
        string relative = Relative(path, gap);
        lock (_gate)
        {
            if (!_gaps.TryGetValue(gap, out List<string>? gaps))
            {
                _gaps[gap] = gaps = [];
            }

            gaps.Add(relative);
        }

        // A file is told of with its bytes.
        if (!isFile)
        {
            _onEntry?.Invoke(Entry(relative, gap));
        }
    }

    /// <summary>Takes a regular file of the second tree.</summary>
    internal void AddFile(
        CompareWorker worker, PairNode node, ReadOnlySpan<byte> name, in FileFinding finding, PairGap? gap = null)
    {
        Interlocked.Increment(ref _files);
        worker.Totals.Add(finding);
        if (_onEntry is not null)
        {
            _onEntry(Entry(Relative(node.PathOf(false, name), PairGap.OnlyInPath), gap, finding));
        }
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

    private static string Join(string directory, string name) =>
        directory.EndsWith('/') ? directory + name : $"{directory}/{name}";

    private static double? Ratio(long shared, long length) => length == 0 ? 1 : (double)shared / length;

    private string Relative(string path, PairGap gap) =>
        path[(gap == PairGap.OnlyInReference ? _reference : _path).Length..].TrimStart('/');

    private void CompareTrees()
    {
        var top = new PairNode(_reference, _path);
        try
        {
            top.Reference = OpenTop(_reference, out top.ReferenceStatus);
            top.Directory = OpenTop(_path, out top.DirectoryStatus);
        }
        catch
        {
            top.Close();
            throw;
        }

        // What is handed out one by one is not piled up: a single thread finds it.
        int workers = _onEntry is null ? Math.Clamp(Environment.ProcessorCount, 1, 64) : 1;
        new CompareWalk(this, workers, _cancellation).Run(top, _worker);
    }

    private static int OpenTop(string path, out Statx status)
    {
        int directory = OpenDirectory.At(path);
        if (directory < 0)
        {
            throw BtrfsException.FromErrno(-directory, "openat", path);
        }

        Sys.Stat(directory, out status);
        return directory;
    }

    private void CompareNamed()
    {
        ComparedFile reference = OpenNamed(_reference);
        try
        {
            ComparedFile file = OpenNamed(_path);
            try
            {
                _worker.Totals.Add(_worker.Compare(reference, file));
                _files = 1;
                _onEntry?.Invoke(Result());
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

    /// <summary>What is told of one entry.</summary>
    private CompareResult Entry(string relative, PairGap? gap, in FileFinding finding = default)
    {
        IReadOnlyList<string> self = [relative];
        return new CompareResult
        {
            ReferencePath = Join(_reference, relative),
            Path = Join(_path, relative),
            Files = finding.IsFile ? 1 : 0,
            Length = finding.Length,
            SharedLength = finding.Shared,
            SharedRatio = finding.IsFile ? Ratio(finding.Shared, finding.Length) : null,
            ComparedLength = finding.Compared,
            IsClone = finding.IsClone,
            OnlyInReference = gap == PairGap.OnlyInReference ? self : [],
            OnlyInPath = gap == PairGap.OnlyInPath ? self : [],
            Different = gap == PairGap.OtherKind ? self : [],
            Failed = 0,
        };
    }

    private CompareResult Result() => new()
    {
        ReferencePath = _reference,
        Path = _path,
        Files = _totals.Files,
        Length = _totals.Length,
        SharedLength = _totals.SharedLength,
        SharedRatio = Ratio(_totals.SharedLength, _totals.Length),
        ComparedLength = _totals.ComparedLength,
        IsClone = _totals.AreClones && _gaps.Count == 0 && _failed == 0,
        OnlyInReference = Sorted(PairGap.OnlyInReference),
        OnlyInPath = Sorted(PairGap.OnlyInPath),
        Different = Sorted(PairGap.OtherKind),
        Failed = _failed,
    };

    private IReadOnlyList<string> Sorted(PairGap gap) =>
        _gaps.TryGetValue(gap, out List<string>? gaps) ? [.. gaps.Order(StringComparer.Ordinal)] : [];

    private void Drain()
    {
        while (_failures.TryDequeue(out BtrfsException? failure))
        {
            _onFailure(failure);
        }
    }
}
