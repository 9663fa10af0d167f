using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Measuring;

/// <summary>
/// Measures what files and trees take on disk, one item after the other. It is used from one thread at a time, and uses
/// several by itself.
/// </summary>
/// <remarks>
/// With CAP_SYS_ADMIN the items of btrfs's trees are read (BTRFS_IOC_TREE_SEARCH_V2), otherwise FIEMAP of each file,
/// which has to be readable; then all that only the trees tell is null. Nothing is flushed, and links are not followed.
/// Memory grows with the extents that are shared, by 11 to 32 bytes for each.
/// </remarks>
/// <example>
/// <code>
/// using var session = new MeasureSession(failure => Console.Error.WriteLine(failure.Message));
/// Console.WriteLine(session.Measure("/srv/tree", CancellationToken.None).DiskLength);
/// </code>
/// </example>
public sealed class MeasureSession : IDisposable
{
    private const int TickMilliseconds = 50;

    private readonly Action<BtrfsException> _onFailure;
    private readonly Action? _onTick;
    private readonly UsageShared _shared = new();
    private readonly UsageWorker _worker;
    private readonly UsageTotals _totals = new();
    private readonly int _workers = Math.Clamp(Environment.ProcessorCount, 1, 64);
    private readonly int _maxOpen;
    private long _failed;
    private long _nextTick;

    /// <summary>Begins.</summary>
    /// <param name="onFailure">Takes each failure inside a tree, on the thread that calls <see cref="Measure"/>.</param>
    /// <param name="onTick">Is called now and then, at most every 50 ms, on the thread that calls <see cref="Measure"/>.</param>
    public MeasureSession(Action<BtrfsException> onFailure, Action? onTick = null)
    {
        ArgumentNullException.ThrowIfNull(onFailure);
        (_onFailure, _onTick) = (onFailure, onTick);
        _worker = new UsageWorker(_shared);
        _maxOpen = (int)Math.Clamp((Sys.DescriptorLimit - 64) / 2, _workers + 2, 512);
    }

    /// <summary>How many files of the item have been counted so far.</summary>
    public long Files => _shared.Files;

    /// <summary>Where to read from; for measuring as those do who may not read the trees.</summary>
    internal ExtentSource Source { get; init; }

    /// <summary>Measures one item.</summary>
    /// <param name="path">A regular file, or a directory with all below it.</param>
    /// <param name="cancellation">Ends it at once.</param>
    /// <exception cref="BtrfsException">
    /// <see cref="BtrfsError.SourceNotFound"/>; <see cref="BtrfsError.NotRegularFile"/>: it is neither;
    /// <see cref="BtrfsError.PermissionDenied"/>; <see cref="BtrfsError.FiemapNotSupported"/>.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public MeasureResult Measure(string path, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(path);
        cancellation.ThrowIfCancellationRequested();
        _shared.Start(cancellation);
        _worker.Totals.Clear();
        _totals.Clear();
        _failed = 0;
        int descriptor = Open(path, out Statx status);
        bool byTree;
        if (status.FileType == Sys.ModeDirectory)
        {
            byTree = MeasureTree(path, descriptor, status);
        }
        else
        {
            try
            {
                byTree = MeasureFile(path, descriptor, status);
            }
            finally
            {
                Sys.Close(descriptor);
            }
        }

        _totals.Add(_worker.Totals);
        Drain();
        cancellation.ThrowIfCancellationRequested();
        return Result(path, byTree, status.FileType == Sys.ModeDirectory);
    }

    /// <summary>Releases what the session holds.</summary>
    public void Dispose() => _worker.Dispose();

    private static int Open(string path, out Statx status)
    {
        // Looked at first: opening a device may already do something to it.
        int result = Sys.Stat(path, follow: false, out status);
        if (result >= 0 && status.FileType is not (Sys.ModeRegular or Sys.ModeDirectory))
        {
            throw new BtrfsException(
                BtrfsError.NotRegularFile, path, description: "neither a regular file nor a directory");
        }

        int flags = OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;
        if (result >= 0)
        {
            bool isDirectory = status.FileType == Sys.ModeDirectory;
            result = Sys.Open(path, flags | (isDirectory ? OpenFlags.Directory | OpenFlags.NoAccessTime : 0));
            result = result == -Errno.EPERM && isDirectory ? Sys.Open(path, flags | OpenFlags.Directory) : result;
        }

        return result >= 0 ? result : throw BtrfsException.FromErrno(-result, "openat", path);
    }

    private bool MayReadTrees(int descriptor, string path)
    {
        if (Source == ExtentSource.Fiemap || Sys.FileSystemMagic(descriptor, out long magic) < 0 ||
            magic != Sys.BtrfsMagic)
        {
            return false;
        }

        int result = _worker.Tree.Probe(descriptor);
        return result >= 0 || (result is -Errno.EPERM or -Errno.EACCES
            ? false
            : throw BtrfsException.FromErrno(-result, Sys.TreeSearchCall, path));
    }

    private bool MeasureTree(string path, int descriptor, in Statx status)
    {
        var top = new MeasuredDirectory(path, descriptor, status);
        bool byTree;
        try
        {
            byTree = MayReadTrees(descriptor, path);
            top.Subvolume = byTree ? SubvolumeOf(descriptor, path) : 0;
        }
        catch
        {
            top.Close();
            throw;
        }

        new MeasureWalk(_shared, _totals, byTree, _workers, _maxOpen, Pump).Run(top, _worker);
        return byTree;
    }

    private unsafe bool MeasureFile(string path, int descriptor, in Statx status)
    {
        if (!MayReadTrees(descriptor, path))
        {
            _worker.Fiemap.Add(descriptor, path, 0, long.MaxValue);
            _shared.AddFile();
            return false;
        }

        _worker.Tree.Start(new MeasuredDirectory(path, descriptor, status)
        {
            Subvolume = SubvolumeOf(descriptor, path),
        });
        _worker.Tree.Add(status.Inode, null);
        _worker.Tree.Count();
        return true;
    }

    private static ulong SubvolumeOf(int descriptor, string path)
    {
        int result = Sys.SubvolumeId(descriptor, out ulong subvolume);
        return result >= 0 ? subvolume : throw BtrfsException.FromErrno(-result, Sys.SubvolumeCall, path);
    }

    private MeasureResult Result(string path, bool byTree, bool isDirectory)
    {
        IReadOnlyList<CompressionUsage>? byCompression = byTree ? _totals.ByCompression() : null;
        return new MeasureResult
        {
            Path = path,
            Files = _shared.Files,
            Length = _totals.Length,
            InlineLength = byTree ? _totals.InlineLength : null,
            DiskLength = byCompression?.Sum(type => type.DiskLength),
            UncompressedLength = byCompression?.Sum(type => type.UncompressedLength),
            ExclusiveLength = _totals.Length - _totals.SharedLength,
            SharedLength = _totals.SharedLength,
            SetSharedLength = isDirectory ? _shared.SharedRanges.Sum() : _totals.SharedLength,
            ExtentCount = byCompression?.Sum(type => type.ExtentCount),
            ByCompression = byCompression,
            Failed = _failed,
        };
    }

    private void Pump()
    {
        long now = Environment.TickCount64;
        if (now >= _nextTick)
        {
            _nextTick = now + TickMilliseconds;
            Drain();
            _onTick?.Invoke();
        }
    }

    private void Drain()
    {
        while (_shared.Failures.TryDequeue(out BtrfsException? failure))
        {
            _failed++;
            _onFailure(failure);
        }
    }
}
