using BtrfsClone.Interop;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Extents;

/// <summary>
/// Reads the file extents of files in file order: lazily, with constant memory, and without flushing or writing anything. One
/// reader can read several files, one after another.
/// </summary>
/// <remarks>
/// If the file is being written to, each file extent is one that the file had at some time during the reading; they never overlap,
/// and there is a gap only where nothing was stored. Not safe for concurrent use.
/// </remarks>
/// <example>
/// <code>
/// using ExtentReader reader = new(new ExtentReaderOptions { IncludeHole = true });
/// reader.Open("/srv/disk.img");
/// while (reader.Read(out FileExtent extent))
/// {
///     Console.WriteLine($"{extent.Offset} {extent.Length} {extent.Kind}");
/// }
/// </code>
/// </example>
public sealed class ExtentReader : IDisposable
{
    // Fewer file extents are most likely followed by nothing.
    private const int WorthReadingAhead = 256;

    private static readonly int s_flags =
        OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;

    private readonly ExtentReaderOptions _options;
    private readonly FiemapReader _fiemap = new();
    private readonly FiemapSource _fiemapSource;
    private ExtentBatch _batch = new();
    private ExtentBatch _aheadBatch = new();
    private Task<bool>? _ahead;
    private TreeSource? _treeSource;
    private IExtentSource? _source;
    private OwnedDescriptor? _opened;
    private SafeFileHandle? _lent;
    private CancellationToken _cancellation;
    private long _holesEnd;
    private long _position;
    private int _next;

    /// <summary>Creates a reader.</summary>
    /// <param name="options">What to read from each file; null means everything except holes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range's offset is negative, or its length is less than 1.</exception>
    public ExtentReader(ExtentReaderOptions? options = null)
    {
        _options = options ?? new ExtentReaderOptions();
        ArgumentOutOfRangeException.ThrowIfNegative(_options.Offset, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.Length ?? 1, 1, nameof(options));
        _fiemapSource = new FiemapSource(_fiemap);
    }

    /// <summary>The source of the open file's extents: never <see cref="ExtentSource.Auto"/> once a file is open.</summary>
    public ExtentSource Source { get; private set; }

    /// <summary>Whether FIEMAP is used because the trees may not be read, which requires CAP_SYS_ADMIN.</summary>
    public bool IsTreeRefused { get; private set; }

    /// <summary>The open file's path.</summary>
    public string Path { get; private set; } = "";

    /// <summary>Opens a file, which must be a readable regular file. A symbolic link is not followed.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellation">Cancels between two batches of file extents.</param>
    /// <exception cref="BtrfsException">
    /// <see cref="BtrfsError.SourceNotFound"/>; <see cref="BtrfsError.NotRegularFile"/>; <see cref="BtrfsError.PermissionDenied"/>:
    /// the file may not be read, or <see cref="ExtentSource.Tree"/> was requested and the process lacks CAP_SYS_ADMIN;
    /// <see cref="BtrfsError.NotBtrfs"/>: <see cref="ExtentSource.Tree"/> was requested;
    /// <see cref="BtrfsError.FiemapNotSupported"/>.
    /// </exception>
    public void Open(string path, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        Close();

        // Checked first: opening a device can have side effects.
        CallResult result = Sys.Stat(path, follow: false, out Statx status);
        if (result.Succeeded && status.FileType != Sys.ModeRegular)
        {
            throw new BtrfsException(BtrfsError.NotRegularFile, path);
        }

        Descriptor file = Descriptor.None;
        result = result.Failed ? result : Sys.Open(path, s_flags, out file);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.OpenAt, path);
        }

        _opened = new OwnedDescriptor(file);
        Begin(file, path, cancellation);
    }

    /// <summary>Reads a file that the caller has opened, and closes.</summary>
    /// <param name="file">The file, open for reading.</param>
    /// <param name="path">The path to use in error messages.</param>
    /// <param name="cancellation">Cancels between two batches of file extents.</param>
    /// <exception cref="BtrfsException">As for the other overload.</exception>
    public void Open(SafeFileHandle file, string path, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(path);
        Close();
        _lent = file;
        Begin(Descriptor.Borrow(file), path, cancellation);
    }

    /// <summary>Reads a file that the caller has opened, and closes after it is finished with this reader.</summary>
    internal void Open(Descriptor file, string path, CancellationToken cancellation = default)
    {
        Close();
        Begin(file, path, cancellation);
    }

    /// <summary>Reads the next file extent.</summary>
    /// <param name="extent">The file extent.</param>
    /// <returns>False if there are no more.</returns>
    /// <exception cref="BtrfsException">Reading failed.</exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public bool Read(out FileExtent extent)
    {
        while (_next >= _batch.Count)
        {
            if (_source is null)
            {
                extent = default;
                return false;
            }

            _cancellation.ThrowIfCancellationRequested();
            if (!NextBatch(_source))
            {
                _source = null;
                return ReadHole(_holesEnd, out extent);
            }
        }

        extent = _batch[_next];
        if (ReadHole(extent.Offset, out FileExtent hole))
        {
            extent = hole;
            return true;
        }

        _next++;
        _position = extent.End;
        return true;
    }

    /// <summary>Reads the file extents of one file as objects.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellation">Cancels between two batches of file extents.</param>
    /// <returns>The file extents, read lazily.</returns>
    /// <exception cref="BtrfsException">As for <see cref="Open(string, CancellationToken)"/>.</exception>
    public IEnumerable<BtrfsExtent> ReadAll(string path, CancellationToken cancellation = default)
    {
        Open(path, cancellation);
        foreach (BtrfsExtent extent in ReadRest())
        {
            yield return extent;
        }
    }

    /// <summary>Reads the remaining file extents of the open file, and closes it.</summary>
    /// <returns>The file extents, read lazily.</returns>
    /// <exception cref="BtrfsException">Reading failed.</exception>
    public IEnumerable<BtrfsExtent> ReadRest()
    {
        while (Read(out FileExtent extent))
        {
            yield return new BtrfsExtent(Path, extent);
        }

        Close();
    }

    /// <summary>Closes the file if it was opened by path.</summary>
    public void Close()
    {
        // The file must not be closed during a pending call; the call's result is discarded.
        _ahead?.ContinueWith(_ => { }, TaskScheduler.Default).Wait();
        _ahead = null;
        _opened?.Dispose();
        _opened = null;
        _lent = null;
        _source = null;
        _batch.Clear();
        _next = 0;
    }

    /// <inheritdoc cref="Close"/>
    public void Dispose() => Close();

    private void Begin(Descriptor file, string path, CancellationToken cancellation)
    {
        Path = path;
        _cancellation = cancellation;
        CallResult result = Sys.Stat(file, out Statx status);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.Statx, path);
        }

        if (status.FileType != Sys.ModeRegular)
        {
            throw new BtrfsException(BtrfsError.NotRegularFile, path);
        }

        IsTreeRefused = false;
        _position = _options.Offset;
        _holesEnd = Math.Min(_options.End, (long)status.Size);
        bool isBtrfs = Sys.FileSystemMagic(file, out long magic).Succeeded && magic == Sys.BtrfsMagic;
        if (_options.Source == ExtentSource.Fiemap || !TryBeginTree(file, path, status, isBtrfs))
        {
            Source = ExtentSource.Fiemap;
            _fiemapSource.Start(
                file, path, _options.Offset, _options.End,
                twoAtOnce: isBtrfs && Environment.ProcessorCount > 1);
            _source = _fiemapSource;
        }
    }

    private bool TryBeginTree(Descriptor file, string path, in Statx status, bool isBtrfs)
    {
        bool isWanted = _options.Source == ExtentSource.Tree;
        if (!isBtrfs)
        {
            return isWanted ? throw new BtrfsException(BtrfsError.NotBtrfs, path) : false;
        }

        _treeSource ??= new TreeSource(_fiemap);
        CallResult result = _treeSource.Start(file, path, status, _options.Offset, _options.End);
        if (result.Failed && (isWanted || result.Error is not (Errno.EPERM or Errno.EACCES)))
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.TreeSearch, path);
        }

        IsTreeRefused = result.Failed;
        if (result.Failed)
        {
            return false;
        }

        Source = ExtentSource.Tree;
        _source = _treeSource;
        return true;
    }

    /// <summary>
    /// Takes the next batch, and starts reading the one after it in the background: most of the time is spent in the kernel.
    /// </summary>
    private bool NextBatch(IExtentSource source)
    {
        _next = 0;
        bool any;
        if (_ahead is null)
        {
            _batch.Clear();
            any = source.Fill(_batch);
        }
        else
        {
            Task<bool> ahead = _ahead;
            _ahead = null;
            any = ahead.GetAwaiter().GetResult();
            (_batch, _aheadBatch) = (_aheadBatch, _batch);
        }

        if (any && _batch.Count >= WorthReadingAhead)
        {
            _aheadBatch.Clear();
            _ahead = Task.Run(() => source.Fill(_aheadBatch));
        }

        return any;
    }

    /// <summary>Returns the hole between the last file extent and the next one, if there is one and holes are requested.</summary>
    private bool ReadHole(long next, out FileExtent hole)
    {
        long end = Math.Min(next, _holesEnd);
        if (!_options.IncludeHole || end <= _position)
        {
            hole = default;
            return false;
        }

        hole = FileExtent.Hole(_position, end - _position);
        _position = end;
        return true;
    }
}
