using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Delalloc;

/// <summary>
/// One invocation: waits until nothing of files, or of any file below directories, is delayed or in flight. Write-out
/// of an item starts when it is added; what came of it is told when that is known, in the order in which the items were
/// added, while further ones are added or at the end. It is used from one thread at a time, and its callbacks run on
/// that thread. It needs no privilege but read access, and works on a read-only mount too, where nothing can be dirty.
/// </summary>
/// <remarks>
/// Dirty pages and pages in write-back are counted with cachestat(2). Without it (before Linux 6.5; since 6.14 also for
/// files that the caller neither owns nor may write) FIEMAP's view is all there is; it misses dirty data over extents
/// that exist, so that with <see cref="DelallocOptions.Flush"/> such files are flushed whatever it shows.
/// </remarks>
/// <example>
/// <code>
/// var events = new DelallocEvents { OnFailure = failure => Console.Error.WriteLine(failure.Message) };
/// using var session = new DelallocSession(new DelallocOptions(), events);
/// session.Add("/data/tree", CancellationToken.None);
/// session.Complete(CancellationToken.None);
/// </code>
/// </example>
public sealed class DelallocSession : IDisposable
{
    /// <summary>How many items are kept waiting: what memory holds when a pipeline gives millions.</summary>
    private const int MaxItems = 4096;

    private const int LongestPause = 50; // Milliseconds between two looks through a directory, and two ticks.

    private readonly DelallocEvents _events;
    private readonly DelallocOptions _options;
    private readonly EventPump _ticks;
    private readonly Flusher _flusher;
    private readonly Queue<DelallocItem> _items = new();
    private readonly Queue<DelallocItem> _again = new();
    private readonly int _maxDirectories;
    private readonly int _maxLevels;
    private int _openDirectories;

    /// <summary>Begins an invocation.</summary>
    /// <param name="options">How to wait.</param>
    /// <param name="events">
    /// Takes what there is to tell, on the thread that works with the session. A failure is told as soon as it is known: of
    /// an item, or of a file or directory below it.
    /// </param>
    public DelallocSession(DelallocOptions options, DelallocEvents events)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(events);
        (_options, _events) = (options, events);
        _ticks = new EventPump(events);
        int descriptors = FreeDescriptors.Share(2, 8, 512);
        _maxDirectories = Math.Max(descriptors / 8, 2);
        _maxLevels = Math.Max(descriptors / 16, 2);
        _flusher = new Flusher(descriptors, (flusher, files) => new FlushWorker(flusher, options.Flush, files).Run());
    }

    /// <summary>How many files have been done with so far; those of a directory again in each pass through it.</summary>
    public long Files => _flusher.Done;

    /// <summary>
    /// Starts write-out of an item. Returns without waiting for it, unless so many wait already that some of them have
    /// to be done with first.
    /// </summary>
    /// <param name="path">The item's path: a regular file, or a directory with all below it. A link is not followed.</param>
    /// <param name="cancellation">Ends it at once.</param>
    /// <param name="tag">Anything, to know the item by.</param>
    /// <param name="passOver">
    /// What is neither a regular file nor a directory is told as quiet, with <see cref="DelallocItem.PassedOver"/>,
    /// rather than refused.
    /// </param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Add(string path, CancellationToken cancellation, object? tag = null, bool passOver = false)
    {
        ArgumentNullException.ThrowIfNull(path);
        WaitForRoom(MaxItems - 1, _maxDirectories - 1, cancellation);
        long deadline = _options.Timeout is TimeSpan timeout
            ? Environment.TickCount64 + (long)timeout.TotalMilliseconds
            : long.MaxValue;
        var item = new DelallocItem(path, tag, deadline);
        _items.Enqueue(item);
        Descriptor descriptor = item.Open(out bool isDirectory, out BtrfsException? failure);
        if (passOver && failure?.Error == BtrfsError.NotRegularFile)
        {
            item.PassedOver = true;
            End(item);
        }
        else if (failure is not null)
        {
            End(item);
            Report(failure, item);
        }
        else if (isDirectory)
        {
            item.Directory = descriptor;
            _openDirectories++;
            LookThrough(item, cancellation);
        }
        else
        {
            AddFile(item, descriptor, cancellation);
        }

        Pump();
    }

    /// <summary>Waits for all items.</summary>
    /// <param name="cancellation">Ends it at once.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Complete(CancellationToken cancellation) => WaitForRoom(0, 0, cancellation);

    /// <summary>Lets go of what is not done.</summary>
    public void Dispose()
    {
        foreach (DelallocItem item in _items)
        {
            End(item);
        }

        _flusher.Dispose();
    }

    /// <summary>Goes on with all items until few enough are left.</summary>
    private void WaitForRoom(int maxItems, int maxDirectories, CancellationToken cancellation)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            Pump();
            if (_again.TryDequeue(out DelallocItem? item))
            {
                LookThrough(item, cancellation);
            }
            else if (_items.Count <= maxItems && _openDirectories <= maxDirectories)
            {
                return;
            }
            else
            {
                _flusher.WaitForNews(TimeLeft(), forRoom: false, cancellation);
            }
        }
    }

    /// <summary>
    /// One pass through a directory. Write-out is started file by file, and waited for when as many are open as may be.
    /// A pass in which nobody wrote and nothing took long is the last.
    /// </summary>
    private void LookThrough(DelallocItem item, CancellationToken cancellation)
    {
        if (item.Ended)
        {
            return;
        }

        item.BeginPass(LongestPause, cancellation);
        _flusher.Hold(item);
        try
        {
            AddFiles(item, cancellation);
        }
        finally
        {
            _flusher.Release(item);
        }
    }

    private void AddFiles(DelallocItem item, CancellationToken cancellation)
    {
        using var walk = new FileWalk(
            item.Directory, item.Path, _maxLevels, _options.OneFileSystem, item.Passes == 1 ? _events.OnPassedOver : null);
        long nextPump = 0;
        while (!item.Ended && walk.Next(out Descriptor descriptor, out BtrfsException? failure))
        {
            if (failure is null)
            {
                AddFile(item, descriptor, cancellation);
            }
            else if (item.Passes == 1 || !item.Failed)
            {
                Report(failure, item);
            }

            long now = Environment.TickCount64;
            if (now >= nextPump)
            {
                nextPump = now + LongestPause;
                cancellation.ThrowIfCancellationRequested();
                Pump();
            }
        }
    }

    private void AddFile(DelallocItem item, Descriptor descriptor, CancellationToken cancellation)
    {
        DescriptorScope scope = new(descriptor);
        try
        {
            while (!item.Ended)
            {
                if (_flusher.TryAdd(item, descriptor))
                {
                    scope.Release();
                    return;
                }

                _flusher.WaitForNews(TimeLeft(), forRoom: true, cancellation);
                cancellation.ThrowIfCancellationRequested();
                Pump();
            }
        }
        finally
        {
            scope.Dispose();
        }
    }

    /// <summary>
    /// Has the flusher begin with what it was given, takes what it has to tell, ends what has taken too long, and hands
    /// out what has ended.
    /// </summary>
    private void Pump()
    {
        _flusher.Begin();
        while (_flusher.TryTakeFailure(out var failed))
        {
            if (!failed.Item.Ended)
            {
                Report(failed.Failure, failed.Item);
            }
        }

        while (_flusher.TryTakeFinished(out DelallocItem? finished, out bool lookAgain))
        {
            if (finished!.Directory.IsOpen && lookAgain)
            {
                _again.Enqueue(finished);
            }
            else
            {
                End(finished);
            }
        }

        long now = Environment.TickCount64;
        foreach (DelallocItem item in _items)
        {
            if (item.Deadline > now)
            {
                break;
            }

            if (!item.Ended)
            {
                End(item);
                Report(new BtrfsException(BtrfsError.DelallocTimeout, item.Path), item);
            }
        }

        while (_items.TryPeek(out DelallocItem? first) && first.Ended)
        {
            _items.Dequeue();
            if (!first.Failed)
            {
                _events.OnQuiet?.Invoke(first);
            }
        }

        _ticks.Pump();
    }

    private void Report(BtrfsException failure, DelallocItem item)
    {
        item.Failed = true;
        _events.OnFailure(failure);
    }

    private void End(DelallocItem item)
    {
        item.Ended = true;
        if (item.Directory.IsOpen)
        {
            item.CloseDirectory();
            _openDirectories--;
        }
    }

    /// <summary>Milliseconds until the next item has taken too long, or progress is to be shown.</summary>
    private int TimeLeft()
    {
        int longest = _events.OnTick is null ? int.MaxValue : LongestPause;
        DelallocItem? next = _items.FirstOrDefault(item => !item.Ended);
        return next is null ? longest : (int)Math.Clamp(next.Deadline - Environment.TickCount64, 1, longest);
    }
}
