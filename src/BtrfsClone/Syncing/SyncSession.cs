using System.Diagnostics;
using BtrfsClone.Cloning;

namespace BtrfsClone.Syncing;

/// <summary>
/// Makes destinations equal to their sources by updating only what differs: equal entries are not changed, and in entries that
/// differ, only data whose disk addresses differ is shared again. Must be used from one thread; uses several threads internally.
/// </summary>
/// <remarks>
/// With CAP_SYS_ADMIN, on one btrfs, equality is determined from btrfs's trees (BTRFS_IOC_TREE_SEARCH_V2), after dirty data was
/// written to disk (syncfs(2)); otherwise each file is opened and mapped (FS_IOC_FIEMAP). Memory grows with the number of
/// hard-linked inodes and of names to remove.
/// </remarks>
/// <example>
/// <code>
/// using var session = new SyncSession(
///     new SyncOptions { Delete = true },
///     new SyncEvents { OnFailure = failure => Console.Error.WriteLine(failure.Message) });
/// SyncResult result = session.Sync("/data/golden", "/data/work", CancellationToken.None);
/// </code>
/// </example>
public sealed class SyncSession : IDisposable
{
    private readonly SyncOptions _options;
    private readonly SyncEvents _events;

    /// <summary>Creates a session.</summary>
    /// <param name="options">How to sync.</param>
    /// <param name="events">Receives events.</param>
    public SyncSession(SyncOptions options, SyncEvents events)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(events);
        (_options, _events) = (options, events);
    }

    /// <summary>Running totals of the current sync.</summary>
    public SyncCounters Counters { get; private set; } = new();

    /// <summary>The metadata that the last destination could not store, by kind.</summary>
    public IReadOnlyList<MetadataLoss> Losses { get; private set; } = [];

    /// <inheritdoc cref="CloneCounters.CopiedDescription"/>
    public string? CopiedDescription { get; private set; }

    /// <summary>
    /// The paths that <see cref="SyncOptions.PerFile"/> allowed the last sync to read without a snapshot of their subvolume.
    /// </summary>
    public IReadOnlyList<string> WithoutMoment { get; private set; } = [];

    /// <summary>The warnings about the last sync: data that was copied, <see cref="WithoutMoment"/> and <see cref="Losses"/>.</summary>
    public IReadOnlyList<string> Warnings { get; private set; } = [];

    /// <summary>Makes a destination equal to its source.</summary>
    /// <param name="source">The absolute path of a file or directory; a symbolic link is followed.</param>
    /// <param name="destination">The absolute path of the entry to make equal, not of a directory to put it into.</param>
    /// <param name="cancellation">Cancels between two entries. An entry that was begun is completed or unchanged.</param>
    /// <returns>The result; <see cref="SyncResult.Failed"/> counts the failures that were reported.</returns>
    /// <exception cref="BtrfsException">It was rejected, or could not be started.</exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public SyncResult Sync(string source, string destination, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        cancellation.ThrowIfCancellationRequested();
        long begin = Stopwatch.GetTimestamp();
        source = CloneDestination.Trim(source);
        destination = CloneDestination.Trim(destination);
        using var work = new SyncWork(_options, _events, cancellation);
        Counters = work.Run.Counters;
        bool sawAll = work.Sync(source, destination);
        Losses = work.Run.Context.Losses.All;
        CopiedDescription = work.Run.Context.Counters.CopiedDescription;
        WithoutMoment = work.WithoutMoment.Paths;
        Warnings =
        [
            .. new[] { CopiedDescription }.OfType<string>(), .. work.WithoutMoment.Descriptions,
            .. Losses.Select(loss => loss.Description),
        ];
        cancellation.ThrowIfCancellationRequested();
        return Counters.ToResult(
            source, destination, work.Run.Context.Counters, Stopwatch.GetElapsedTime(begin), sawAll);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
