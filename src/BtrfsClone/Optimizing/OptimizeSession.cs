using System.Diagnostics;
using BtrfsClone.Interop;
using BtrfsClone.Measuring;
using BtrfsClone.Walking;

namespace BtrfsClone.Optimizing;

/// <summary>
/// Frees unreachable data: the parts of extents that overwriting, truncating and deleting have left behind, while clones, snapshots
/// or the file itself use the rest; and joins small extents that all files use consecutively. Data in use is written once, and all
/// references to it, in all subvolumes and snapshots, inside and outside the item, are moved to it (FIDEDUPERANGE). So sharing
/// between clones is preserved. Must be used from one thread at a time.
/// </summary>
/// <remarks>
/// Requires CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH. The kernel compares every byte with both files locked, so that no byte and no
/// time ever changes, even with concurrent writes. Extents referenced by a read-only snapshot are not replaced, nor are those of
/// files without checksums (NOCOW), of immutable files, and preallocated ones.
/// </remarks>
/// <example>
/// <code>
/// var events = new SessionEvents { OnFailure = failure => Console.Error.WriteLine(failure.Message) };
/// using var session = new OptimizeSession(new OptimizeOptions(), events);
/// Console.WriteLine(session.Optimize("/srv/databases", CancellationToken.None).GainedLength);
/// </code>
/// </example>
public sealed class OptimizeSession : IDisposable
{
    private readonly EventPump _pump;
    private readonly ExtentReplacer _replacer;
    private readonly FileScan _scan;
    private readonly OptimizeWalk.Memory _memory = new();
    private readonly OptimizeCounters _counters = new();
    private readonly int _maxOpen;
    private CancellationToken _cancellation;

    /// <summary>Creates a session.</summary>
    /// <param name="options">How to optimize.</param>
    /// <param name="events">Receives events, on the thread that calls <see cref="Optimize"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number in the options is less than 1, or less than 0 where 0 is allowed.</exception>
    public OptimizeSession(OptimizeOptions options, SessionEvents events)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(events);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MinimumGain ?? 1, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaximumRate ?? 1, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegative(options.TargetExtentSize, nameof(options));
        _pump = new EventPump(events);
        _replacer = new ExtentReplacer(options, _counters, Report, Pump);
        _scan = new FileScan(_replacer, options.TargetExtentSize, Pump);
        _maxOpen = FreeDescriptors.Share(4, 3, 256);
    }

    /// <summary>The number of files of the item examined so far.</summary>
    public long Files => _counters.Files;

    /// <inheritdoc cref="OptimizeResult.GainedLength"/>
    public long GainedLength => _counters.Gained;

    /// <summary>Optimizes one item.</summary>
    /// <param name="path">A regular file, or a directory with everything below it. A symbolic link is not followed.</param>
    /// <param name="cancellation">Cancels between two steps. Extents that have been replaced by then stay replaced.</param>
    /// <exception cref="BtrfsException">
    /// <see cref="BtrfsError.SourceNotFound"/>; <see cref="BtrfsError.NotRegularFile"/>: it is neither;
    /// <see cref="BtrfsError.NotBtrfs"/>; <see cref="BtrfsError.PermissionDenied"/>: the process lacks a capability;
    /// <see cref="BtrfsError.NoSpace"/>: there is no space for the data that is written before the rest is freed;
    /// <see cref="BtrfsError.ReadOnlyFileSystem"/>.
    /// </exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public OptimizeResult Optimize(string path, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(path);
        cancellation.ThrowIfCancellationRequested();
        _cancellation = cancellation;
        long begin = Stopwatch.GetTimestamp();
        _counters.Clear();
        CallResult result = Sys.Stat(path, follow: false, out Statx status);
        Check(result, SystemCall.Statx, path);
        bool isDirectory = status.FileType == Sys.ModeDirectory;
        if (!isDirectory && status.FileType != Sys.ModeRegular)
        {
            throw new BtrfsException(
                BtrfsError.NotRegularFile, path, description: "neither a regular file nor a directory");
        }

        result = OpenDirectory.At(isDirectory ? path : path[..(path.LastIndexOf('/') + 1)] + ".", out Descriptor opened);
        Check(result, SystemCall.OpenAt, path);
        using DescriptorScope closing = new(opened);
        Check(Sys.FileSystemMagic(opened, out long magic), SystemCall.Fstatfs, path);
        if (magic != Sys.BtrfsMagic)
        {
            throw new BtrfsException(BtrfsError.NotBtrfs, path);
        }

        Check(Sys.BlockSize(opened, out long blockSize), SystemCall.Fstatfs, path);
        _replacer.Start(opened, path, blockSize);
        _scan.Start();
        if (isDirectory)
        {
            ReadTree(path);
        }
        else
        {
            ReadFile(path, opened, status);
        }

        _replacer.Complete();
        _pump.Drain();
        return Result(path, Stopwatch.GetElapsedTime(begin));
    }

    /// <summary>Releases the resources of the session.</summary>
    public void Dispose()
    {
        _replacer.Dispose();
        _memory.Dispose();
    }

    private void ReadTree(string path)
    {
        Check(OpenDirectory.At(path, out Descriptor top), SystemCall.OpenAt, path);
        CallResult result = Sys.Stat(top, out Statx status);
        if (result.Failed)
        {
            Check(Sys.Reject(ref top, result), SystemCall.Statx, path);
        }

        new OptimizeWalk(_scan, _counters, Report, TellPassedOver, Pump, _maxOpen, _cancellation).Run(
            new MeasuredDirectory(path, top, status), _memory);
        _cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>Reads a single file, not through its directory, since another file may be bind-mounted on it.</summary>
    private void ReadFile(string path, Descriptor directory, in Statx status)
    {
        int flags = OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;
        Check(Sys.Open(path, flags, out Descriptor file), SystemCall.OpenAt, path);
        using DescriptorScope closing = new(file);
        Check(Sys.Stat(file, out Statx opened), SystemCall.Statx, path);
        CallResult result = Sys.BtrfsFsid(file, out Guid own);
        Check(result, SystemCall.FsInfo, path);
        Check(Sys.BtrfsFsid(directory, out Guid above), SystemCall.FsInfo, path);
        if (!opened.IsSameFileAs(status) || own != above)
        {
            throw own != above
                ? new BtrfsException(BtrfsError.NotBtrfs, path, description: "the file is mounted on one of another filesystem")
                : new BtrfsException(BtrfsError.ChangedMeanwhile, path);
        }

        _scan.Read(file, path, [status.Inode]);
        _counters.Files++;
    }

    private OptimizeResult Result(string path, TimeSpan elapsed) => new()
    {
        Path = path,
        ExtentsReplaced = _counters.ExtentsReplaced,
        ExtentsWritten = _counters.ExtentsWritten,
        ExtentsLeft = _counters.ExtentsLeft,
        GainedLength = _counters.Gained,
        WrittenLength = _counters.Written,
        LeftLength = _counters.Left,
        HeldLength = _counters.Held,
        Failed = _counters.Failed,
        Elapsed = elapsed,
    };

    private void Report(BtrfsException failure)
    {
        _counters.Failed++;
        _pump.Report(failure);
    }

    private void TellPassedOver(string path) => _pump.TellPassedOver(path, OtherFileSystem.Storage);

    private void Pump()
    {
        _cancellation.ThrowIfCancellationRequested();
        _pump.Pump();
    }

    private static void Check(CallResult result, SystemCall call, string path)
    {
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, call, path);
        }
    }
}
