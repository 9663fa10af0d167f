using BtrfsClone.Interop;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Extents;

/// <summary>
/// Reads what files are made of, piece by piece in file order: lazily, with the same memory however many pieces there
/// are, and without flushing or writing anything. One reader reads one file after another.
/// </summary>
/// <remarks>
/// While the file is being written, each piece is one that the file had at some moment of the reading; there is never
/// an overlap, and a gap only where nothing was stored. Not safe for several threads at once.
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
    // What follows fewer pieces is most likely nothing.
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

    /// <summary>Makes a reader.</summary>
    /// <param name="options">What is read, of each file; null for all but holes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range's offset is negative, or its length less than 1.</exception>
    public ExtentReader(ExtentReaderOptions? options = null)
    {
        _options = options ?? new ExtentReaderOptions();
        ArgumentOutOfRangeException.ThrowIfNegative(_options.Offset, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.Length ?? 1, 1, nameof(options));
        _fiemapSource = new FiemapSource(_fiemap);
    }

    /// <summary>Where the open file's extents come from: never <see cref="ExtentSource.Auto"/> once a file is open.</summary>
    public ExtentSource Source { get; private set; }

    /// <summary>Whether FIEMAP is asked since the trees may not be read, which needs CAP_SYS_ADMIN.</summary>
    public bool IsTreeRefused { get; private set; }

    /// <summary>The open file's path.</summary>
    public string Path { get; private set; } = "";

    /// <summary>
    /// Begins with a file, which has to be a regular one that may be read. A symbolic link is not followed.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellation">Ends the reading between two batches of pieces.</param>
    /// <exception cref="BtrfsException">
    /// <see cref="BtrfsError.SourceNotFound"/>; <see cref="BtrfsError.NotRegularFile"/>;
    /// <see cref="BtrfsError.PermissionDenied"/>: the file may not be read, or <see cref="ExtentSource.Tree"/> was asked
    /// for and the process lacks CAP_SYS_ADMIN; <see cref="BtrfsError.NotBtrfs"/>: <see cref="ExtentSource.Tree"/> was
    /// asked for; <see cref="BtrfsError.FiemapNotSupported"/>.
    /// </exception>
    public void Open(string path, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        Close();

        // Looked at first: opening a device may already do something to it.
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

    /// <summary>Begins with a file that the caller has opened, and closes.</summary>
    /// <param name="file">The file, open for reading.</param>
    /// <param name="path">What to call it in errors.</param>
    /// <param name="cancellation">Ends the reading between two batches of pieces.</param>
    /// <exception cref="BtrfsException">As for the other overload.</exception>
    public void Open(SafeFileHandle file, string path, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(path);
        Close();
        _lent = file;
        Begin(Descriptor.Borrow(file), path, cancellation);
    }

    /// <summary>Begins with a file that the caller has opened, and closes after this reader.</summary>
    internal void Open(Descriptor file, string path, CancellationToken cancellation = default)
    {
        Close();
        Begin(file, path, cancellation);
    }

    /// <summary>Gives the next piece.</summary>
    /// <param name="extent">The piece.</param>
    /// <returns>False when there are no more.</returns>
    /// <exception cref="BtrfsException">Reading failed.</exception>
    /// <exception cref="OperationCanceledException">The reading was cancelled.</exception>
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

    /// <summary>Reads one file's pieces as objects.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellation">Ends the reading between two batches of pieces.</param>
    /// <returns>The pieces, read as they are asked for.</returns>
    /// <exception cref="BtrfsException">As for <see cref="Open(string, CancellationToken)"/>.</exception>
    public IEnumerable<BtrfsExtent> ReadAll(string path, CancellationToken cancellation = default)
    {
        Open(path, cancellation);
        foreach (BtrfsExtent extent in ReadRest())
        {
            yield return extent;
        }
    }

    /// <summary>Reads the pieces that are left of the open file, and closes it.</summary>
    /// <returns>The pieces, read as they are asked for.</returns>
    /// <exception cref="BtrfsException">Reading failed.</exception>
    public IEnumerable<BtrfsExtent> ReadRest()
    {
        while (Read(out FileExtent extent))
        {
            yield return new BtrfsExtent(Path, extent);
        }

        Close();
    }

    /// <summary>Closes the file, if it was opened by its path.</summary>
    public void Close()
    {
        // The file must not be closed under a call that is on its way; what it brings is not wanted any more.
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
    /// Takes the next batch, and has the one after it read while it is used: most of the time goes by in the kernel.
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

    /// <summary>Gives the hole between the last piece and the next one, where there is one and it is wanted.</summary>
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
