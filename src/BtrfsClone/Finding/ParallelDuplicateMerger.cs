using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using BtrfsClone.Merging;
using BtrfsClone.Walking;

namespace BtrfsClone.Finding;

/// <summary>
/// Merges groups, several at a time, in about the order in which they come: while the kernel waits for the data of one group, it
/// compares another. It is used from one thread, on which it tells what there is to tell.
/// </summary>
/// <remarks>See <see cref="DuplicateMerger"/> for what is merged, and what that needs.</remarks>
public sealed class ParallelDuplicateMerger : IDisposable
{
    // So many reads keep a device busy. More of them would only wait at the locks of one filesystem.
    private const int MostThreads = 4;

    // A group takes memory for each of its places.
    private const int MostWaiting = 16;

    private readonly BlockingCollection<BtrfsDuplicate> _waiting = new(MostWaiting);
    private readonly EventPump _pump;
    private readonly DuplicateMerger _merger;
    private readonly HelperThreads _threads;
    private readonly CancellationToken _cancellation;
    private ExceptionDispatchInfo? _error;

    /// <summary>Begins.</summary>
    /// <param name="events">Takes each place and each group that fails.</param>
    /// <param name="cancellation">Stops between two ranges. What is shared by then stays so.</param>
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

    /// <summary>Takes a group to be merged; comes back when there is room for it.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Add(BtrfsDuplicate group)
    {
        ArgumentNullException.ThrowIfNull(group);
        _threads.StartOne();
        if (_threads.Count == 0)
        {
            // The system gives no thread.
            Merge(group);
        }
        else
        {
            while (_error is null && !_waiting.TryAdd(group, EventPump.TickMilliseconds, _cancellation))
            {
                _pump.Pump();
            }
        }

        _pump.Pump();
        _error?.Throw();
    }

    /// <summary>Comes back when all groups are merged.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Complete()
    {
        _waiting.CompleteAdding();
        while (!_threads.Join(EventPump.TickMilliseconds))
        {
            _pump.Pump();
        }

        _pump.Drain();
        _error?.Throw();
    }

    /// <summary>Ends the threads. What was not begun is not merged.</summary>
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

    /// <summary>The first exception that is no failure of a group ends it all, on the thread of the caller.</summary>
    private void Merge(BtrfsDuplicate group)
    {
        try
        {
            if (_error is null)
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
            Interlocked.CompareExchange(ref _error, ExceptionDispatchInfo.Capture(e), null);
        }
    }
}
