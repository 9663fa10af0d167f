using BtrfsClone.Extents;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Measuring;

/// <summary>
/// Measures the disk usage of files and trees, one item after the other. Must be used from one thread at a time; uses several
/// threads internally.
/// </summary>
/// <remarks>
/// With CAP_SYS_ADMIN the items of btrfs's trees are read (BTRFS_IOC_TREE_SEARCH_V2), otherwise FIEMAP of each file, which must be
/// readable; values that only the trees contain are then null. Nothing is flushed, and links are not followed. Memory grows with
/// the number of shared extents, by 11 to 32 bytes each; if reclaimable space is requested, by some 70 bytes per file extent.
/// </remarks>
/// <example>
/// <code>
/// var events = new SessionEvents { OnFailure = failure => Console.Error.WriteLine(failure.Message) };
/// using var session = new MeasureSession(new MeasureOptions(), events);
/// Console.WriteLine(session.Measure("/srv/tree", CancellationToken.None).DiskLength);
/// </code>
/// </example>
public sealed class MeasureSession : IDisposable
{
    private readonly MeasureOptions _options;
    private readonly UsageShared _shared;
    private readonly ReclaimItems? _items;
    private readonly UsageWorker _worker;
    private readonly UsageTotals _totals = new();
    private readonly int _workers = WorkerLimit.Usual;
    private readonly int _maxOpen;

    /// <summary>Creates a session.</summary>
    /// <param name="options">How to measure.</param>
    /// <param name="events">Receives events, on the thread that calls <see cref="Measure"/>.</param>
    public MeasureSession(MeasureOptions options, SessionEvents events)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(events);
        _options = options;
        _shared = new UsageShared(events, options.MostExtents) { Ledger = options.Ledger };
        _worker = new UsageWorker(_shared);
        _items = options.Reclaimable ? new ReclaimItems(isOfFiles: options.Ledger is not null) : null;
        _maxOpen = FreeDescriptors.Share(2, _workers + 2, 512);
    }

    /// <summary>The number of files of the item counted so far.</summary>
    public long Files => _shared.Files;

    /// <summary>Measures one item.</summary>
    /// <param name="path">A regular file, or a directory with everything below it.</param>
    /// <param name="cancellation">Cancels immediately.</param>
    /// <exception cref="BtrfsException">
    /// <see cref="BtrfsError.SourceNotFound"/>; <see cref="BtrfsError.NotRegularFile"/>: it is neither;
    /// <see cref="BtrfsError.PermissionDenied"/>; <see cref="BtrfsError.FiemapNotSupported"/>.
    /// </exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public MeasureResult Measure(string path, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(path);
        cancellation.ThrowIfCancellationRequested();
        _shared.Start(cancellation);
        _worker.Totals.Clear();
        _totals.Clear();
        Descriptor descriptor = Open(path, out Statx status);
        Begin(descriptor, path);
        MeasureResult result;
        try
        {
            result = MeasureItem(path, descriptor, status);
        }
        catch when (_shared.Reclaim is not null)
        {
            _items!.Drop(_shared.Reclaim);
            throw;
        }

        if (_shared.Reclaim is ReclaimItem item)
        {
            _items!.End(item, result);
        }

        return result;
    }

    /// <summary>
    /// Computes what would be freed if the measured items were deleted: each alone, and all together. Only with
    /// <see cref="MeasureOptions.Reclaimable"/>.
    /// </summary>
    /// <param name="detailed">Whether to also compute what would be freed only by deleting several items together.</param>
    /// <param name="cancellation">Cancels immediately.</param>
    /// <returns>The results of <see cref="Measure"/>, in the same order, with these numbers.</returns>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public IReadOnlyList<MeasureResult> Reclaim(bool detailed, CancellationToken cancellation) =>
        _items is null
            ? throw new InvalidOperationException($"The session was begun without {nameof(MeasureOptions.Reclaimable)}.")
            : _items.Complete(detailed, _shared.Pump, cancellation);

    /// <inheritdoc cref="ReclaimItems.LinkedNames"/>
    internal IEnumerable<int[]> LinkedNames => _items!.LinkedNames;

    /// <summary>Reports who holds each extent of the items.</summary>
    /// <inheritdoc cref="ReclaimItems.Count"/>
    internal void CountExtents(IExtentTotals totals, CancellationToken cancellation) =>
        _items!.Count(totals, _shared.Pump, cancellation);

    /// <summary>Releases the resources of the session.</summary>
    public void Dispose()
    {
        _worker.Dispose();
        _items?.Dispose();
    }

    /// <summary>Starts an item; closes it if reclaimable space cannot be computed.</summary>
    private void Begin(Descriptor descriptor, string path)
    {
        DescriptorScope closing = new(descriptor);
        try
        {
            _shared.Reclaim = _items?.Begin(descriptor, path);
            closing.Release();
        }
        finally
        {
            closing.Dispose();
        }
    }

    private MeasureResult MeasureItem(string path, Descriptor descriptor, in Statx status)
    {
        bool byTree;
        if (status.FileType == Sys.ModeDirectory)
        {
            byTree = MeasureTree(path, descriptor, status);
        }
        else
        {
            using DescriptorScope closing = new(descriptor);
            byTree = MeasureFile(path, descriptor, status);
        }

        _totals.Add(_worker.Totals);
        _shared.Drain();
        _shared.Cancellation.ThrowIfCancellationRequested();
        return Result(path, byTree, status.FileType == Sys.ModeDirectory);
    }

    private static unsafe Descriptor Open(string path, out Statx status)
    {
        // Checked first: opening a device can have side effects.
        CallResult result = Sys.Stat(path, follow: false, out status);
        if (result.Succeeded && status.FileType is not (Sys.ModeRegular or Sys.ModeDirectory))
        {
            throw new BtrfsException(
                BtrfsError.NotRegularFile, path, description: "neither a regular file nor a directory");
        }

        Descriptor opened = Descriptor.None;
        int flags = OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;
        if (result.Succeeded && status.FileType == Sys.ModeDirectory)
        {
            fixed (byte* name = Utf8Z.From(path))
            {
                result = Sys.OpenQuietlyAt(
                    Descriptor.WorkingDirectory, name, flags | OpenFlags.Directory, out opened, out _);
            }
        }
        else if (result.Succeeded)
        {
            result = Sys.Open(path, flags, out opened);
        }

        return result.Succeeded ? opened : throw BtrfsException.FromErrno(result.Error, SystemCall.OpenAt, path);
    }

    private bool MayReadTrees(Descriptor descriptor, string path)
    {
        if (_options.Source == ExtentSource.Fiemap || Sys.FileSystemMagic(descriptor, out long magic).Failed ||
            magic != Sys.BtrfsMagic)
        {
            return false;
        }

        CallResult result = _worker.Tree.Probe(descriptor);
        return result.Succeeded || (result.Error is Errno.EPERM or Errno.EACCES
            ? false
            : throw BtrfsException.FromErrno(result.Error, SystemCall.TreeSearch, path));
    }

    private bool MeasureTree(string path, Descriptor descriptor, in Statx status)
    {
        var top = new MeasuredDirectory(path, descriptor, status);
        bool byTree;
        try
        {
            byTree = MayReadTrees(descriptor, path);
            top.Subvolume = byTree ? SubvolumeOf(descriptor, path) : 0;
            top.Usage = _options.Ledger?.Add(null, Utf8Z.Span(Utf8Z.From(path)), isDirectory: true);
        }
        catch
        {
            top.Close();
            throw;
        }

        new MeasureWalk(_shared, _totals, byTree, _workers, _maxOpen).Run(top, _worker);
        return byTree;
    }

    private unsafe bool MeasureFile(string path, Descriptor descriptor, in Statx status)
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
        if (status.LinkCount > 1)
        {
            AddName(path, descriptor, status);
        }

        return true;
    }

    /// <summary>Remembers the name by which a file with several names was given.</summary>
    private void AddName(string path, Descriptor descriptor, in Statx status)
    {
        if (_shared.Reclaim is not ReclaimItem item)
        {
            return;
        }

        int slash = path.LastIndexOf('/');
        CallResult result = Sys.Stat(path[..(slash + 1)] + ".", follow: true, out Statx directory);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.Statx, path);
        }

        ulong key = LinkedFiles.KeyOf(directory.Inode, Utf8Z.Span(Utf8Z.From(path[(slash + 1)..])));
        item.Set.AddName(item.Number, SubvolumeOf(descriptor, path), status.Inode, key, (int)status.LinkCount);
    }

    private static ulong SubvolumeOf(Descriptor descriptor, string path)
    {
        CallResult result = Sys.SubvolumeId(descriptor, out ulong subvolume);
        return result.Succeeded ? subvolume : throw BtrfsException.FromErrno(result.Error, SystemCall.InoLookup, path);
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
            Failed = _shared.Failed,
        };
    }
}
