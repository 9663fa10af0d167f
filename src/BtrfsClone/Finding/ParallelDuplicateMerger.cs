using System.Collections.Concurrent;
using BtrfsClone.Merging;
using BtrfsClone.Walking;

namespace BtrfsClone.Finding;

/// <summary>
/// Merges groups, several at a time, in roughly the order in which they are added: while the kernel waits for the data of one
/// group, it compares another. Must be used from one thread, on which it raises its events.
/// </summary>
/// <remarks>See <see cref="DuplicateMerger"/> for what is merged, and the required permissions.</remarks>
public sealed class ParallelDuplicateMerger : IDisposable
{
    // This many concurrent reads keep a device busy. More would only contend for the locks of one filesystem.
    private const int MostThreads = 4;

    // A group takes memory for each of its places.
    private const int MostWaiting = 16;

    private readonly BlockingCollection<BtrfsDuplicate> _waiting = new(MostWaiting);
    private readonly EventPump _pump;
    private readonly DuplicateMerger _merger;
    private readonly HelperThreads _threads;
    private readonly CancellationToken _cancellation;
    private readonly FirstError _error = new();

    /// <summary>Creates a merger.</summary>
    /// <param name="events">Receives each place and each group that fails.</param>
    /// <param name="cancellation">Cancels between two ranges. Data that is shared by then stays shared.</param>
    public ParallelDuplicateMerger(SessionEvents events, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(events);
        _cancellation = cancellation;
        _pump = new EventPump(events);
        _merger = new DuplicateMerger(new SessionEvents { OnFailure = _pump.Report });
        _threads = new HelperThreads(MostThreads, Work);
    }

    /// <inheritdoc cref="DuplicateMerger.Counters"/>
    public MergeCounters Counters => _merger.Counters;

    /// <summary>Queues a group for merging; blocks until there is room for it.</summary>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public void Add(BtrfsDuplicate group)
    {
        ArgumentNullException.ThrowIfNull(group);
        _threads.StartOne();
        if (_threads.Count == 0)
        {
            // No thread could be created.
            Merge(group);
        }
        else
        {
            while (!_error.IsSet && !_waiting.TryAdd(group, EventPump.TickMilliseconds, _cancellation))
            {
                _pump.Pump();
            }
        }

        _pump.Pump();
        _error.Throw();
    }

    /// <summary>Blocks until all groups are merged.</summary>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public void Complete()
    {
        _waiting.CompleteAdding();
        while (!_threads.Join(EventPump.TickMilliseconds))
        {
            _pump.Pump();
        }

        _pump.Drain();
        _error.Throw();
    }

    /// <summary>Ends the threads. Groups that were not started are not merged.</summary>
    public void Dispose()
    {
        _waiting.CompleteAdding();
        while (_waiting.TryTake(out _))
        {
        }

        _threads.Join();
        _waiting.Dispose();
    }

    private void Work()
    {
        foreach (BtrfsDuplicate group in _waiting.GetConsumingEnumerable())
        {
            Merge(group);
        }
    }

    /// <summary>The first exception that is not a failure of a group ends the merging, and is thrown on the caller's thread.</summary>
    private void Merge(BtrfsDuplicate group)
    {
        try
        {
            if (!_error.IsSet)
            {
                _merger.Merge(group, _cancellation);
            }
        }
        catch (BtrfsException failure)
        {
            _pump.Report(failure);
        }
        catch (Exception e)
        {
            _error.Keep(e);
        }
    }
}
