using System.Diagnostics;
using BtrfsClone.Cloning;

namespace BtrfsClone.Syncing;

/// <summary>
/// Makes destinations equal to their sources by what differs alone: what is equal is not touched, and of what differs only
/// what is not in the same place already is shared anew. It is used from one thread, and uses several by itself.
/// </summary>
/// <remarks>
/// With CAP_SYS_ADMIN, on one btrfs, equality is found in btrfs's trees (BTRFS_IOC_TREE_SEARCH_V2), after what is dirty was
/// written out (syncfs(2)); else each file is opened and mapped (FS_IOC_FIEMAP). Memory grows with the linked inodes and
/// with the names that are to be removed.
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

    /// <summary>Begins.</summary>
    /// <param name="options">How to sync.</param>
    /// <param name="events">Takes what there is to tell.</param>
    public SyncSession(SyncOptions options, SyncEvents events)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(events);
        (_options, _events) = (options, events);
    }

    /// <summary>Running totals of the sync that goes on.</summary>
    public SyncCounters Counters { get; private set; } = new();

    /// <summary>What metadata the last destination could not hold, by kinds.</summary>
    public IReadOnlyList<MetadataLoss> Losses { get; private set; } = [];

    /// <inheritdoc cref="CloneCounters.CopiedDescription"/>
    public string? CopiedDescription { get; private set; }

    /// <summary>What <see cref="SyncOptions.PerFile"/> has let the last sync read without a snapshot of its subvolume.</summary>
    public IReadOnlyList<string> WithoutMoment { get; private set; } = [];

    /// <summary>
    /// What people are to be told of the last sync: data that was copied, <see cref="WithoutMoment"/> and <see cref="Losses"/>.
    /// </summary>
    public IReadOnlyList<string> Warnings { get; private set; } = [];

    /// <summary>Makes a destination equal to its source.</summary>
    /// <param name="source">The absolute path of a file or directory; a symbolic link is followed.</param>
    /// <param name="destination">The absolute path of what is to be made equal, and not of a directory to put it into.</param>
    /// <param name="cancellation">Stops between two entries. What was begun is whole or as it was.</param>
    /// <returns>What it came to; <see cref="SyncResult.Failed"/> counts what was reported.</returns>
    /// <exception cref="BtrfsException">It was refused, or could not be begun.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
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
