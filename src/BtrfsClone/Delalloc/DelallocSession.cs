using BtrfsClone.Interop;

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
/// using var session = new DelallocSession(new(), item => { }, (failure, item) => Console.Error.WriteLine(failure.Message));
/// session.Add("/data/tree", null, CancellationToken.None);
/// session.Complete(CancellationToken.None);
/// </code>
/// </example>
public sealed class DelallocSession : IDisposable
{
    /// <summary>How many items are kept waiting: what memory holds when a pipeline gives millions.</summary>
    private const int MaxItems = 4096;

    // Descriptors for the runtime, which opens assemblies when their first call comes, and for the host.
    private const int Reserve = 16;

    private const int LongestPause = 50; // Milliseconds between two looks through a directory.

    private readonly Action<DelallocItem> _onQuiet;
    private readonly Action<BtrfsException, DelallocItem> _onFailure;
    private readonly DelallocOptions _options;
    private readonly Flusher _flusher;
    private readonly Queue<DelallocItem> _items = new();
    private readonly Queue<DelallocItem> _again = new();
    private readonly int _maxDirectories;
    private readonly int _maxLevels;
    private int _openDirectories;

    /// <summary>Begins an invocation.</summary>
    /// <param name="options">How to wait.</param>
    /// <param name="onQuiet">Takes each item of which nothing failed, in the order in which they were added.</param>
    /// <param name="onFailure">
    /// Takes each failure, as soon as it is known: of an item, or of a file or directory below it. The item is not
    /// given to <paramref name="onQuiet"/> then, though the rest of it is waited for.
    /// </param>
    public DelallocSession(
        DelallocOptions options, Action<DelallocItem> onQuiet, Action<BtrfsException, DelallocItem> onFailure)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(onQuiet);
        ArgumentNullException.ThrowIfNull(onFailure);
        _options = options;
        _onQuiet = onQuiet;
        _onFailure = onFailure;
        int descriptors = (int)Math.Clamp((Sys.DescriptorLimit - Sys.DescriptorsInUse - Reserve) / 2, 8, 512);
        _maxDirectories = Math.Max(descriptors / 8, 2);
        _maxLevels = Math.Max(descriptors / 16, 2);
        _flusher = new Flusher(options.Flush, descriptors);
    }

    /// <summary>
    /// Starts write-out of an item. Returns without waiting for it, unless so many wait already that some of them have
    /// to be done with first.
    /// </summary>
    /// <param name="path">The item's path: a regular file, or a directory with all below it. A link is not followed.</param>
    /// <param name="tag">Anything, to know the item by.</param>
    /// <param name="cancellation">Ends it at once.</param>
    /// <param name="passOver">
    /// What is neither a regular file nor a directory is told as quiet, with <see cref="DelallocItem.PassedOver"/>,
    /// rather than refused.
    /// </param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Add(string path, object? tag, CancellationToken cancellation, bool passOver = false)
    {
        ArgumentNullException.ThrowIfNull(path);
        Settle(MaxItems - 1, _maxDirectories - 1, cancellation);
        long deadline = _options.Timeout is TimeSpan timeout
            ? Environment.TickCount64 + (long)timeout.TotalMilliseconds
            : long.MaxValue;
        var item = new DelallocItem(path, tag, deadline);
        _items.Enqueue(item);
        int descriptor = Open(path, out bool isDirectory, out BtrfsException? failure);
        if (passOver && failure?.Error == BtrfsError.NotRegularFile)
        {
            item.PassedOver = true;
            End(item);
        }
        else if (failure is not null)
        {
            Report(failure, item);
            End(item);
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
    public void Complete(CancellationToken cancellation) => Settle(0, 0, cancellation);

    /// <summary>Lets go of what is not done.</summary>
    public void Dispose()
    {
        foreach (DelallocItem item in _items)
        {
            End(item);
        }

        _flusher.Dispose();
    }

    private static int Open(string path, out bool isDirectory, out BtrfsException? failure)
    {
        isDirectory = false;
        failure = null;

        // Looked at before it is opened: opening a device or a FIFO may do something.
        int result = Sys.Stat(path, follow: false, out Statx status);
        if (result < 0)
        {
            failure = BtrfsException.FromErrno(-result, "statx", path);
            return -1;
        }

        if (status.FileType is not (Sys.ModeRegular or Sys.ModeDirectory))
        {
            failure = new BtrfsException(BtrfsError.NotRegularFile, path);
            return -1;
        }

        isDirectory = status.FileType == Sys.ModeDirectory;
        int descriptor = Sys.Open(
            path,
            OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal |
                (isDirectory ? OpenFlags.Directory : 0));
        if (descriptor < 0)
        {
            failure = BtrfsException.FromErrno(-descriptor, "openat", path);
        }

        return descriptor;
    }

    /// <summary>Goes on with all items until few enough are left.</summary>
    private void Settle(int maxItems, int maxDirectories, CancellationToken cancellation)
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

        // Somebody keeps writing: one pass after the other would be a busy loop.
        item.Passes++;
        if (item.Passes > 2)
        {
            cancellation.WaitHandle.WaitOne(Math.Min(1 << Math.Min(item.Passes - 2, 10), LongestPause));
        }

        _flusher.Hold(item);
        long nextPump = 0;
        using (var walk = new FileWalk(item.Directory, item.Path, _maxLevels))
        {
            while (!item.Ended && walk.Next(out int descriptor, out BtrfsException? failure))
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

        _flusher.Release(item);
    }

    private void AddFile(DelallocItem item, int descriptor, CancellationToken cancellation)
    {
        bool taken = false;
        try
        {
            while (!item.Ended && !(taken = _flusher.TryAdd(item, descriptor)))
            {
                _flusher.WaitForNews(TimeLeft(), forRoom: true, cancellation);
                cancellation.ThrowIfCancellationRequested();
                Pump();
            }
        }
        finally
        {
            if (!taken)
            {
                Sys.Close(descriptor);
            }
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
            if (finished!.Directory >= 0 && lookAgain)
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
                _onQuiet(first);
            }
        }
    }

    private void Report(BtrfsException failure, DelallocItem item)
    {
        item.Failed = true;
        _onFailure(failure, item);
    }

    private void End(DelallocItem item)
    {
        item.Ended = true;
        if (item.Directory >= 0)
        {
            Sys.Close(item.Directory);
            item.Directory = -1;
            _openDirectories--;
        }
    }

    /// <summary>Milliseconds until the next item has taken too long.</summary>
    private int TimeLeft()
    {
        foreach (DelallocItem item in _items)
        {
            if (!item.Ended)
            {
                return (int)Math.Clamp(item.Deadline - Environment.TickCount64, 1, int.MaxValue);
            }
        }

        return int.MaxValue;
    }
}
