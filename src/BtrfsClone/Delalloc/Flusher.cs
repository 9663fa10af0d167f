using System.Diagnostics;
using System.Text;
using BtrfsClone.Interop;

namespace BtrfsClone.Delalloc;

/// <summary>
/// Brings open files to quiet, a bounded number at once: write-out of each is started as it comes, so that the device
/// has many to work on, and then each is looked at until nothing of it is dirty or in flight. The calls that may block
/// are made on threads of its own, which nobody waits for: a wait that is ended comes back at once, whatever the kernel
/// is busy with.
/// </summary>
internal sealed class Flusher : IDisposable
{
    private const int Batch = 32;
    private const int ShortestPause = 1; // Milliseconds.
    private const int LongestPause = 50;

    // The clock of Environment.TickCount64 is too coarse for the shortest pause.
    private static readonly long s_ticksPerMillisecond = Stopwatch.Frequency / 1000;

    private readonly object _gate = new();
    private readonly bool _flush;
    private readonly int _capacity;
    private readonly int _maxWorkers = Math.Clamp(Environment.ProcessorCount, 1, 4);
    private readonly Queue<OpenFile> _arrived = new();
    private readonly Stack<OpenFile> _free = new();
    private readonly Queue<(DelallocItem, BtrfsException)> _failures = new();
    private readonly Queue<DelallocItem> _finished = new();
    private int _made;
    private int _workers;
    private int _pausing;
    private bool _callerWantsRoom;
    private bool _news;
    private volatile bool _hasRoom = true;
    private volatile bool _stop;

    /// <param name="flush">Start write-out, or only wait.</param>
    /// <param name="capacity">How many files may be open at once.</param>
    public Flusher(bool flush, int capacity)
    {
        _flush = flush;
        _capacity = capacity;
    }

    /// <summary>Takes over an open file of an item, if there is room.</summary>
    public bool TryAdd(DelallocItem item, int descriptor)
    {
        lock (_gate)
        {
            if (!_free.TryPop(out OpenFile? file))
            {
                if (_made == _capacity)
                {
                    _hasRoom = false;
                    Engage();
                    return false;
                }

                _made++;
                file = new OpenFile();
            }

            file.Take(item, descriptor);
            item.Pending++;
            _arrived.Enqueue(file);
            if (_arrived.Count >= Batch)
            {
                Engage();
            }

            return true;
        }
    }

    /// <summary>
    /// Has what was added worked on, however little it is. Waking a thread for each file takes longer than the file.
    /// </summary>
    public void Begin()
    {
        lock (_gate)
        {
            Engage();
        }
    }

    /// <summary>Keeps an item from being finished while more of its files may come.</summary>
    public void Hold(DelallocItem item)
    {
        lock (_gate)
        {
            item.Pending++;
            item.LookAgain = false;
        }
    }

    /// <summary>No more of the item's files will come.</summary>
    public void Release(DelallocItem item)
    {
        lock (_gate)
        {
            Count(item);
        }
    }

    /// <summary>A failure that nobody has taken yet.</summary>
    public bool TryTakeFailure(out (DelallocItem Item, BtrfsException Failure) failure)
    {
        lock (_gate)
        {
            return _failures.TryDequeue(out failure);
        }
    }

    /// <summary>An item whose files are all done with, and whether they have to be looked at once more.</summary>
    public bool TryTakeFinished(out DelallocItem? item, out bool lookAgain)
    {
        lock (_gate)
        {
            bool taken = _finished.TryDequeue(out item);
            lookAgain = taken && item!.LookAgain;
            return taken;
        }
    }

    /// <summary>Waits until there is something to take, or until it is time.</summary>
    /// <param name="milliseconds">How long at most.</param>
    /// <param name="forRoom">Wait for room, too.</param>
    /// <param name="cancellation">Ends the waiting at once.</param>
    public void WaitForNews(int milliseconds, bool forRoom, CancellationToken cancellation)
    {
        using CancellationTokenRegistration registration = cancellation.Register(Wake);
        lock (_gate)
        {
            // A little room is as good as none: the caller would be woken for each file.
            _callerWantsRoom = forRoom;
            if (!_news && _finished.Count + _failures.Count == 0 && !cancellation.IsCancellationRequested)
            {
                Monitor.Wait(_gate, forRoom ? Math.Min(milliseconds, LongestPause / 5) : milliseconds);
            }

            _callerWantsRoom = _news = false;
        }
    }

    /// <summary>Lets go of all files. Those that a call is under way for are closed when it comes back.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stop = true;
            while (_arrived.TryDequeue(out OpenFile? file))
            {
                Sys.Close(file.Descriptor);
            }

            Monitor.PulseAll(_gate);
        }
    }

    private void Engage()
    {
        if (_arrived.Count == 0)
        {
            return;
        }

        if (_pausing > 0)
        {
            Monitor.PulseAll(_gate);
        }
        else if (_workers == 0 || (_workers < _maxWorkers && _arrived.Count > Batch))
        {
            _workers++;
            new Thread(Work) { IsBackground = true, Name = "btrfs-clone" }.Start();
        }
    }

    private void Wake()
    {
        lock (_gate)
        {
            _news = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Work()
    {
        var batch = new OpenFile[Batch];
        var busy = new List<OpenFile>();
        int pause = ShortestPause;
        long nextLook = 0;
        while (TryTake(batch, out int count, busy.Count > 0 ? nextLook : long.MaxValue))
        {
            for (int i = 0; i < count; i++)
            {
                if (!TryFinish(batch[i]))
                {
                    busy.Add(batch[i]);
                    pause = ShortestPause;
                }
            }

            // While there is room for more files, starting those comes first.
            if ((count == 0 || !_hasRoom) && Now() >= nextLook)
            {
                long begun = Now();
                int finished = busy.RemoveAll(TryFinish);
                pause = finished > 0 ? Math.Max(pause / 2, ShortestPause) : Math.Min(pause * 2, LongestPause);

                // Counting the pages of a very long file takes longer than a pause: it must not take all of the time.
                long looking = finished > 0 ? 0 : Now() - begun;
                nextLook = Now() + Math.Max(pause * s_ticksPerMillisecond, looking);
            }
        }

        busy.ForEach(file => Sys.Close(file.Descriptor));
    }

    /// <summary>Takes what has arrived, or comes back without anything when it is time to look again.</summary>
    private bool TryTake(OpenFile[] batch, out int count, long nextLook)
    {
        lock (_gate)
        {
            count = 0;
            while (!_stop && _arrived.Count == 0)
            {
                long left = nextLook - Now();
                if (left <= 0)
                {
                    break;
                }

                _pausing++;
                Monitor.Wait(_gate, (int)Math.Min((left / s_ticksPerMillisecond) + 1, int.MaxValue));
                _pausing--;
            }

            while (!_stop && count < Batch && _arrived.TryDequeue(out OpenFile? file))
            {
                batch[count++] = file;
            }

            return !_stop;
        }
    }

    private bool TryFinish(OpenFile file)
    {
        Progress progress = _stop || file.Item.Ended ? Progress.Quiet : file.Advance(_flush);
        if (progress == Progress.Busy)
        {
            return false;
        }

        BtrfsException? failure = progress == Progress.Failed
            ? BtrfsException.FromErrno(file.FailedErrno, file.FailedCall, PathOf(file))
            : null;
        Sys.Close(file.Descriptor);
        lock (_gate)
        {
            if (failure is not null)
            {
                _failures.Enqueue((file.Item, failure));
            }

            file.Item.LookAgain |= file.LookAgain;
            _free.Push(file);
            if (_free.Count > _capacity / 4)
            {
                _hasRoom = true;
                if (_callerWantsRoom)
                {
                    Monitor.PulseAll(_gate);
                }
            }

            Count(file.Item);
        }

        return true;
    }

    private static long Now() => Stopwatch.GetTimestamp();

    private void Count(DelallocItem item)
    {
        if (--item.Pending == 0)
        {
            _finished.Enqueue(item);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>
    /// The path of a file that came out of a directory. It was opened long ago and its name not kept: the kernel knows it.
    /// </summary>
    private static string PathOf(OpenFile file)
    {
        DelallocItem item = file.Item;
        if (item.Passes == 0)
        {
            return item.Path;
        }

        string top = DescriptorPath(item.Directory);
        string path = DescriptorPath(file.Descriptor);
        return top.Length > 0 && path.StartsWith(top, StringComparison.Ordinal)
            ? item.Path.TrimEnd('/') + path[(top == "/" ? 0 : top.Length)..]
            : path;
    }

    private static unsafe string DescriptorPath(int descriptor)
    {
        byte* target = stackalloc byte[Sys.PathMax];
        fixed (byte* name = Utf8Z.From($"/proc/self/fd/{descriptor}"))
        {
            int length = Sys.ReadLink(Sys.WorkingDirectory, name, target, Sys.PathMax);
            return length < 0 ? "" : Encoding.UTF8.GetString(target, length);
        }
    }
}
