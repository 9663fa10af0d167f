using System.Collections.Concurrent;
using System.Diagnostics;
using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// One invocation: items are cloned one after the other, and share the table of hard links, the counters and what is
/// open. Items must be cloned from one thread at a time; each clone uses several threads by itself.
/// </summary>
/// <example>
/// <code>
/// using var session = new CloneSession(new CloneOptions(), failure => Console.Error.WriteLine(failure.Message));
/// CloneResult result = session.Clone("/data/tree", CloneDestination.Named("/data/copy"), CancellationToken.None);
/// </code>
/// </example>
public sealed class CloneSession : IDisposable
{
    private const int TickMilliseconds = 50;

    private readonly Action<BtrfsException> _onFailure;
    private readonly Action? _onTick;
    private readonly ConcurrentQueue<BtrfsException> _failures = new();
    private readonly GivenDirectories _given = new();
    private readonly WorkerBuffers _buffers;
    private readonly EntryCloner _entries;
    private readonly DirectoryCloner _directories;
    private readonly ItemParents _parents;
    private readonly AtomicDestination? _atomic;
    private long _nextTick;
    private bool _disposed;

    /// <summary>Begins an invocation.</summary>
    /// <param name="options">How to clone.</param>
    /// <param name="onFailure">Takes each failure inside a tree, on the thread that calls <see cref="Clone"/>.</param>
    /// <param name="onTick">Is called now and then, at most every 50 ms, on the thread that calls <see cref="Clone"/>.</param>
    public CloneSession(CloneOptions options, Action<BtrfsException> onFailure, Action? onTick = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(onFailure);
        Options = options;
        _onFailure = onFailure;
        _onTick = onTick;
        Descriptors = new DescriptorBudget(options.Workers > 0 ? options.Workers : Environment.ProcessorCount);
        _buffers = NewBuffers();
        Uid = Sys.EffectiveUid;
        Gid = Sys.EffectiveGid;
        Umask = ProcessUmask.Read();
        _entries = new EntryCloner(this);
        _directories = new DirectoryCloner(this);
        _parents = new ItemParents(this, _directories, _buffers);
        _atomic = options.Atomic ? new AtomicDestination(options, _buffers) : null;
        Moment = options.PointInTime ? new PointInTime(this) : null;
    }

    /// <summary>Running totals.</summary>
    public CloneCounters Counters { get; } = new();

    internal CloneOptions Options { get; }

    /// <summary>The snapshots that sources are read from, or null where they are read as they are.</summary>
    internal PointInTime? Moment { get; }

    internal DescriptorBudget Descriptors { get; }

    /// <summary>No file may get larger than this, in bytes.</summary>
    internal ulong FileSizeLimit { get; } = Sys.FileSizeLimit;

    internal uint Uid { get; }

    internal uint Gid { get; }

    internal uint Umask { get; }

    internal CancellationToken Cancellation { get; set; }

    /// <summary>The directory that a directory item is cloned into: met again below its source, it is not entered.</summary>
    internal Statx TopDestination;

    /// <summary>
    /// Whether an item lies below a directory that this session was given already, and so is a part of that, whatever
    /// has come of it.
    /// </summary>
    /// <param name="source">The item's absolute path.</param>
    public bool Covers(string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return _given.Hold(source);
    }

    /// <summary>Leaves out an item, and with it all that it covers.</summary>
    /// <param name="source">The item's absolute path.</param>
    /// <exception cref="BtrfsException">There is no such item.</exception>
    public void PassOver(string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        Cover(source, ItemParents.Find(source));
    }

    /// <summary>Clones one item.</summary>
    /// <param name="source">The item's absolute path.</param>
    /// <param name="destination">Where it goes.</param>
    /// <param name="cancellation">Stops between two entries. What was begun is whole or gone.</param>
    /// <returns>
    /// What it came to; <see cref="CloneResult.Failed"/> counts what was reported. With
    /// <see cref="CloneOptions.Atomic"/> it is not there before <see cref="Complete"/>.
    /// </returns>
    /// <exception cref="BtrfsException">The item itself was refused or failed, and nothing stays of it.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public CloneResult Clone(string source, CloneDestination destination, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        cancellation.ThrowIfCancellationRequested();
        Cancellation = cancellation;
        if (!Descriptors.IsEnough)
        {
            throw new BtrfsException(BtrfsError.TooManyOpenFiles, source);
        }

        try
        {
            return CloneItem(CloneDestination.Trim(source), destination);
        }
        catch (Exception e) when (_atomic is not null)
        {
            _atomic.HasFailed = true;
            if (e is BtrfsException failure)
            {
                throw new BtrfsException(failure.Error, _atomic.Shown(failure.Path), failure.Errno, failure.Call);
            }

            throw;
        }
    }

    /// <summary>
    /// Ends the invocation after its last item: finishes the directories that items with relative paths were put into,
    /// and removes temporary snapshots.
    /// With <see cref="CloneOptions.Atomic"/> it lets all that was cloned appear, each name in one step; where anything
    /// has failed, nothing appears. A session that is disposed of without it leaves nothing of an atomic clone.
    /// </summary>
    /// <param name="failedElsewhere">An item failed before it came to the session.</param>
    /// <exception cref="BtrfsException">
    /// <see cref="BtrfsError.Incomplete"/>, or a name was taken meanwhile: nothing has appeared.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled: nothing has appeared.</exception>
    public void Complete(bool failedElsewhere = false)
    {
        _parents.Leave();
        Moment?.Dispose();
        Drain();
        if (_atomic is not null)
        {
            _atomic.HasFailed |= failedElsewhere || Counters.Failed > 0;
            _atomic.Complete(Cancellation);
        }
    }

    /// <summary>
    /// Finishes the directories that items with relative paths were put into, removes temporary snapshots, and closes all.
    /// </summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        try
        {
            _parents.Leave();
            Moment?.Dispose();
            Drain();
        }
        finally
        {
            _atomic?.Dispose();
            _buffers.Dispose();
        }
    }

    internal WorkerBuffers NewBuffers() => new(Descriptors.ToClose, Descriptors.Batch);

    internal static EntryKind KindOf(uint fileType) => fileType switch
    {
        Sys.ModeDirectory => EntryKind.Directory,
        Sys.ModeSymlink => EntryKind.SymbolicLink,
        Sys.ModeFifo => EntryKind.Fifo,
        Sys.ModeSocket => EntryKind.Socket,
        Sys.ModeCharDevice => EntryKind.CharacterDevice,
        Sys.ModeBlockDevice => EntryKind.BlockDevice,
        _ => EntryKind.File,
    };

    internal unsafe bool IsWanted(byte* name, EntryKind kind)
    {
        var bytes = new ReadOnlySpan<byte>(name, Utf8Z.Length(name));
        bool isOurs = Moment is not null && kind == EntryKind.Directory && MomentFolder.Kind.HasName(bytes);
        return !isOurs && (Options.Filter is null || Options.Filter(Utf8Z.ToText(bytes), kind));
    }

    /// <summary>Keeps a failure of an entry of a directory, or of the directory itself, for the caller's thread.</summary>
    internal void Report(Fault fault, DirectoryPair directory, ReadOnlySpan<byte> name)
    {
        if (fault == Fault.Cancelled)
        {
            return;
        }

        Counters.AddFailed();
        string path = name.IsEmpty
            ? (fault.AtSource ? directory.SourcePath : directory.DestinationPath)
            : directory.PathOf(fault.AtSource, name);
        _failures.Enqueue(fault.ToException(_atomic?.Shown(path) ?? path));
    }

    /// <summary>Keeps a failure of the invocation as a whole for the caller's thread.</summary>
    internal void Report(BtrfsException failure) => _failures.Enqueue(failure);

    /// <summary>Hands out failures and lets the front end show progress; on the caller's thread only.</summary>
    internal void Pump()
    {
        long now = Environment.TickCount64;
        if (now < _nextTick)
        {
            return;
        }

        _nextTick = now + TickMilliseconds;
        Drain();
        _onTick?.Invoke();
    }

    internal void Drain()
    {
        while (_failures.TryDequeue(out BtrfsException? failure))
        {
            _onFailure(failure);
        }
    }

    private CloneResult CloneItem(string source, CloneDestination destination)
    {
        long begin = Stopwatch.GetTimestamp();
        CloneResult before = Counters.Snapshot();
        Statx status = ItemParents.Find(source);
        Cover(source, status);
        string target = destination.TargetOf(source);
        _parents.Check(source, status, destination, target);
        CloneDestination place = _atomic?.Stage(status, destination, target) ?? destination;
        string placed = place.TargetOf(source);
        Moment?.BeginItem(destination);
        DirectoryPair parent = _parents.Enter(source, place);
        if (status.FileType == Sys.ModeDirectory)
        {
            CloneDirectory(source, placed, parent);
        }
        else
        {
            CloneEntry(source, placed, parent, status);
        }

        _buffers.CloseAll();
        Drain();
        Cancellation.ThrowIfCancellationRequested();
        return Counters.Since(before) with
        {
            Source = source,
            Path = target,
            Kind = KindOf(status.FileType),
            Elapsed = Stopwatch.GetElapsedTime(begin),
        };
    }

    private void Cover(string source, in Statx status)
    {
        if (Options.Recurse && status.FileType == Sys.ModeDirectory)
        {
            _given.Add(source);
        }
    }

    private void CloneDirectory(string source, string target, DirectoryPair parent)
    {
        var pair = new DirectoryPair(
            parent, Utf8Z.From(CloneDestination.NameOf(source)), Utf8Z.From(CloneDestination.NameOf(target)))
        {
            Listed = !Options.Recurse,
        };
        Fault fault = _directories.Open(_buffers, pair);
        if (fault.Failed)
        {
            throw fault.ToException(fault.AtSource ? source : target);
        }

        Sys.Stat(pair.Destination, out TopDestination);
        new CloneWalk(this, _entries, _directories).Run(pair, _buffers);
    }

    private unsafe void CloneEntry(string source, string target, DirectoryPair parent, in Statx status)
    {
        Fault fault = Moment?.Enter(parent) ?? default;
        if (fault.Failed)
        {
            throw fault.ToException(fault.AtSource ? source : target);
        }

        fixed (byte* from = Utf8Z.From(CloneDestination.NameOf(source)))
        fixed (byte* to = Utf8Z.From(CloneDestination.NameOf(target)))
        {
            fault = _entries.Clone(_buffers, parent, from, to, status.FileType == Sys.ModeRegular);
        }

        if (fault.Failed)
        {
            Cancellation.ThrowIfCancellationRequested();
            throw fault.ToException(fault.AtSource ? source : target);
        }

        Pump();
    }
}
