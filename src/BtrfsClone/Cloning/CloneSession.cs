using System.Diagnostics;
using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// One invocation. Items are cloned one after the other, and share the table of hard links, the counters and open directories. The
/// session must be used from one thread at a time; each clone uses several threads internally.
/// </summary>
/// <example>
/// <code>
/// var events = new SessionEvents { OnFailure = failure => Console.Error.WriteLine(failure.Message) };
/// using var session = new CloneSession(new CloneOptions(), events);
/// CloneResult result = session.Clone("/data/tree", CloneDestination.Named("/data/copy"), CancellationToken.None);
/// </code>
/// </example>
public sealed class CloneSession : IDisposable
{
    private readonly CoveredDirectories _covered = new();
    private readonly WorkerBuffers _buffers;
    private readonly EntryCloner _entries;
    private readonly DirectoryCloner _directories;
    private readonly ItemParents _parents;
    private readonly AtomicDestination? _atomic;
    private readonly PointInTime? _snapshots;
    private bool _disposed;

    /// <summary>Creates a session.</summary>
    /// <param name="options">How to clone.</param>
    /// <param name="events">Receives events, on the thread that calls <see cref="Clone"/>.</param>
    public CloneSession(CloneOptions options, SessionEvents events)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(events);
        Context = new CloneContext(options, events);
        _atomic = options.Atomic ? new AtomicDestination(Context) : null;
        _snapshots = options.PointInTime ? new PointInTime(Context) : null;
        _buffers = Context.NewBuffers();
        _entries = new EntryCloner(Context);
        _directories = new DirectoryCloner(Context, _snapshots);
        _parents = new ItemParents(Context, _directories, _buffers);
    }

    /// <summary>Running totals.</summary>
    public CloneCounters Counters => Context.Counters;

    /// <summary>
    /// The metadata that clones have lost so far, one object per kind. It is lost if the destination's filesystem cannot store it,
    /// with <see cref="ReflinkMode.Auto"/>, or if the source's mount options hide it (<c>noacl</c>).
    /// </summary>
    public IReadOnlyList<MetadataLoss> Losses => Context.Losses.All;

    /// <summary>The warnings to show at the end: data that was copied, and <see cref="Losses"/>.</summary>
    public IEnumerable<string> Warnings => new[] { Counters.CopiedDescription }.OfType<string>()
        .Concat(_snapshots?.GivenUp.Descriptions ?? [])
        .Concat(Losses.Select(loss => loss.Description));

    /// <summary>The paths that <see cref="CloneOptions.PerFile"/> allowed to be cloned without a snapshot of their subvolume.</summary>
    public IReadOnlyList<string> WithoutMoment => _snapshots?.GivenUp.Paths ?? [];

    internal CloneContext Context { get; }

    /// <summary>
    /// Whether an item is a directory that was already passed to this session, or is below one and therefore part of it, whether or
    /// not cloning it succeeded.
    /// </summary>
    /// <param name="source">The item's absolute path.</param>
    public bool Covers(string source) => Covers(source, null);

    /// <summary>
    /// As above, where each item has its own destination: an item is only part of a directory if its destination is its position in
    /// that directory's clone.
    /// </summary>
    /// <param name="source">The item's absolute path.</param>
    /// <param name="destination">The item's destination; null for any.</param>
    public bool Covers(string source, CloneDestination? destination)
    {
        ArgumentNullException.ThrowIfNull(source);
        return _covered.Hold(source, destination?.TargetOf(source));
    }

    /// <summary>
    /// Whether the filter includes an item that was not named explicitly, but comes from a wildcard or another command. If it is
    /// excluded, everything that it covers is excluded too.
    /// </summary>
    /// <param name="source">The item's absolute path.</param>
    /// <param name="destination">
    /// Its destination. If it has a base directory, the filter is also applied to the directories between the base and the item.
    /// </param>
    /// <exception cref="BtrfsException">The item does not exist, or it is not below the base directory.</exception>
    public bool Takes(string source, CloneDestination destination)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        if (Context.Options.Filter is not { } filter)
        {
            return true;
        }

        Statx status = _parents.Find(source);
        string[] path = destination.RelativeBase is { } top
            ? [CloneDestination.NameOf(top), .. destination.RelativePathOf(source).Split('/')]
            : [CloneDestination.NameOf(CloneDestination.ParentOf(source)), CloneDestination.NameOf(source)];
        bool takes = filter(path, EntryKinds.Of(status.FileType));
        for (int names = 2; names < path.Length; names++)
        {
            takes &= filter(path.AsSpan(0, names), EntryKind.Directory);
        }

        if (!takes)
        {
            Cover(source, status, null);
        }

        return takes;
    }

    /// <summary>Skips an item and everything that it covers.</summary>
    /// <param name="source">The item's absolute path.</param>
    /// <param name="destination">The destination that it would have had; see <see cref="Covers(string, CloneDestination)"/>.</param>
    /// <exception cref="BtrfsException">The item does not exist.</exception>
    public void PassOver(string source, CloneDestination? destination = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        Cover(source, _parents.Find(source), destination?.TargetOf(source));
    }

    /// <summary>Clones one item.</summary>
    /// <param name="source">The item's absolute path.</param>
    /// <param name="destination">Its destination.</param>
    /// <param name="cancellation">Cancels between two entries. An entry that was begun is completed or removed.</param>
    /// <returns>
    /// The result; <see cref="CloneResult.Failed"/> counts the failures that were reported. With <see cref="CloneOptions.Atomic"/>
    /// the clone does not appear before <see cref="Complete"/>.
    /// </returns>
    /// <exception cref="BtrfsException">The item itself was rejected or failed, and nothing of it remains.</exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public CloneResult Clone(string source, CloneDestination destination, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        cancellation.ThrowIfCancellationRequested();
        if (!Context.Descriptors.IsEnough)
        {
            throw new BtrfsException(BtrfsError.TooManyOpenFiles, source);
        }

        try
        {
            return CloneItem(CloneDestination.Trim(source), destination, cancellation);
        }
        catch (Exception) when (_atomic is not null)
        {
            _atomic.HasFailed = true;
            throw;
        }
    }

    /// <summary>
    /// Ends the invocation after its last item: finishes the directories that were created for items with relative paths, and
    /// removes temporary snapshots. With <see cref="CloneOptions.Atomic"/> all clones then appear, each name atomically; if
    /// anything has failed, nothing appears. A session that is disposed of without this call leaves nothing of an atomic clone.
    /// </summary>
    /// <param name="failedElsewhere">An item failed before it was passed to the session.</param>
    /// <param name="cancellation">Cancels between two names; those that have already appeared are removed again.</param>
    /// <exception cref="BtrfsException">
    /// <see cref="BtrfsError.Incomplete"/>, or a name was created by someone else in the meantime: nothing has appeared.
    /// </exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled: nothing has appeared.</exception>
    public void Complete(bool failedElsewhere = false, CancellationToken cancellation = default)
    {
        _parents.Leave();
        _snapshots?.Dispose();
        Context.Drain();
        if (_atomic is not null)
        {
            _atomic.HasFailed |= failedElsewhere || Counters.Failed > 0;
            try
            {
                _atomic.Complete(cancellation);
            }
            finally
            {
                Context.Drain();
            }
        }
    }

    /// <summary>
    /// Finishes the directories that were created for items with relative paths, removes temporary snapshots, and closes all
    /// descriptors.
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
        }
        finally
        {
            _snapshots?.Dispose();
            _atomic?.Dispose();
            _buffers.Dispose();
            Context.Carrier?.Dispose();
        }

        Context.Drain();
    }

    private CloneResult CloneItem(string source, CloneDestination destination, CancellationToken cancellation)
    {
        long begin = Stopwatch.GetTimestamp();
        CloneResult before = Counters.Snapshot();
        Statx status = _parents.Find(source);
        string target = destination.TargetOf(source);
        Cover(source, status, target);
        _parents.Check(source, status, destination, target);
        CloneDestination place = _atomic?.Stage(source, status, destination, target) ?? destination;
        _snapshots?.BeginItem(destination);
        DirectoryPair parent = _parents.Enter(source, place);
        if (status.FileType == Sys.ModeDirectory)
        {
            CloneDirectory(source, target, parent, cancellation);
        }
        else
        {
            CloneEntry(source, target, parent, status, cancellation);
        }

        _buffers.CloseAll();
        Context.Drain();
        cancellation.ThrowIfCancellationRequested();
        return Counters.Since(before, source, target, EntryKinds.Of(status.FileType), Stopwatch.GetElapsedTime(begin));
    }

    private void Cover(string source, in Statx status, string? target)
    {
        if (Context.Options.Recurse && status.FileType == Sys.ModeDirectory)
        {
            _covered.Add(source, target);
        }
    }

    private void CloneDirectory(
        string source, string target, DirectoryPair parent, CancellationToken cancellation)
    {
        byte[] name = Utf8Z.From(CloneDestination.NameOf(target));
        var pair = new DirectoryPair(parent, Utf8Z.From(CloneDestination.NameOf(source)), name) { IsItem = true };
        if (!Context.Options.Recurse)
        {
            pair.Work.PassOver();
        }

        Failure failure = _directories.Open(_buffers, pair);
        if (failure.Failed)
        {
            throw failure.ToException(failure.AtSource ? source : target);
        }

        new CloneWalk(Context, _entries, _directories, pair, cancellation).Run(_buffers);
    }

    private unsafe void CloneEntry(
        string source, string target, DirectoryPair parent, in Statx status, CancellationToken cancellation)
    {
        Failure failure = _snapshots?.Enter(parent) ?? default;
        if (failure.Failed)
        {
            throw failure.ToException(failure.AtSource ? source : target);
        }

        fixed (byte* from = Utf8Z.From(CloneDestination.NameOf(source)))
        fixed (byte* to = Utf8Z.From(CloneDestination.NameOf(target)))
        {
            failure = _entries.Clone(
                _buffers, parent, from, to, status.FileType == Sys.ModeRegular, cancellation);
        }

        if (failure.Failed)
        {
            cancellation.ThrowIfCancellationRequested();
            throw failure.ToException(failure.AtSource ? source : target);
        }

        Context.Pump();
    }
}
