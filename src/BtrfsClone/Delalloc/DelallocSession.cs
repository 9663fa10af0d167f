using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Delalloc;

/// <summary>
/// One invocation: waits until files, or all files below directories, have no delayed data and no data under writeback. Writeback
/// of an item starts when it is added; results are reported as soon as they are known, in the order in which the items were added,
/// while further items are added or at the end. Must be used from one thread at a time; its callbacks run on that thread. Requires
/// no privilege except read access, and also works on a read-only mount, where nothing can be dirty.
/// </summary>
/// <remarks>
/// Dirty pages and pages under writeback are counted with cachestat(2). Without it (before Linux 6.5; since 6.14 also for files
/// that the caller neither owns nor may write) only FIEMAP is available; it does not show dirty data over existing extents, so with
/// <see cref="DelallocOptions.Flush"/> such files are always flushed.
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
    /// <summary>The maximum number of waiting items, which bounds memory when a pipeline supplies millions.</summary>
    private const int MaxItems = 4096;

    private const int LongestPause = 50; // Milliseconds between two passes through a directory, and between two ticks.

    private readonly DelallocEvents _events;
    private readonly DelallocOptions _options;
    private readonly EventPump _ticks;
    private readonly Flusher _flusher;
    private readonly Queue<DelallocItem> _items = new();
    private readonly Queue<DelallocItem> _again = new();
    private readonly int _maxDirectories;
    private readonly int _maxLevels;
    private int _openDirectories;

    /// <summary>Creates a session.</summary>
    /// <param name="options">How to wait.</param>
    /// <param name="events">
    /// Receives events, on the thread that uses the session. A failure is reported as soon as it is known: of an item, or of a file
    /// or directory below it.
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

    /// <summary>The number of files finished so far; those of a directory count again in each pass.</summary>
    public long Files => _flusher.Done;

    /// <summary>
    /// Starts writeback of an item. Returns without waiting for it, unless too many items are waiting already and some of them have
    /// to finish first.
    /// </summary>
    /// <param name="path">The item's path: a regular file, or a directory with everything below it. A link is not followed.</param>
    /// <param name="cancellation">Cancels immediately.</param>
    /// <param name="tag">Any object, to identify the item.</param>
    /// <param name="passOver">
    /// An item that is neither a regular file nor a directory is reported as quiet, with <see cref="DelallocItem.PassedOver"/>,
    /// instead of being rejected.
    /// </param>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
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
    /// <param name="cancellation">Cancels immediately.</param>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public void Complete(CancellationToken cancellation) => WaitForRoom(0, 0, cancellation);

    /// <summary>Abandons unfinished items.</summary>
    public void Dispose()
    {
        foreach (DelallocItem item in _items)
        {
            End(item);
        }

        _flusher.Dispose();
    }

    /// <summary>Continues with all items until few enough are left.</summary>
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
    /// One pass through a directory. Writeback is started file by file, and waited for when the maximum number of files is open. A
    /// pass without writes and without long waits is the last.
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
    /// Lets the flusher start on its queue, processes its results, ends items whose timeout has expired, and reports those that
    /// have ended.
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

    /// <summary>Milliseconds until the next timeout expires, or progress is to be shown.</summary>
    private int TimeLeft()
    {
        int longest = _events.OnTick is null ? int.MaxValue : LongestPause;
        DelallocItem? next = _items.FirstOrDefault(item => !item.Ended);
        return next is null ? longest : (int)Math.Clamp(next.Deadline - Environment.TickCount64, 1, longest);
    }
}
