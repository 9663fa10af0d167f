using System.Diagnostics;
using System.Runtime.ExceptionServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Delalloc;

/// <summary>
/// Flushes open files, a bounded number concurrently: writeback of each is started when it is added, so that the device has many to
/// work on, and then each is checked until it has no dirty data and no data under writeback. Calls that may block are made on
/// separate threads, which no one waits for: cancelling a wait returns at once, whatever the kernel is doing.
/// </summary>
internal sealed class Flusher : IDisposable
{
    private const int Batch = 32;
    private const int RoomPause = 10; // Milliseconds.

    private readonly object _gate = new();
    private readonly Action<Flusher, List<PendingFile>> _work;
    private readonly int _capacity;
    private int _maxWorkers = Math.Clamp(Environment.ProcessorCount, 1, 4);
    private readonly Queue<PendingFile> _arrived = new();
    private readonly Stack<PendingFile> _free = new();
    private readonly Queue<(DelallocItem, BtrfsException)> _failures = new();
    private readonly Queue<DelallocItem> _finished = new();
    private int _made;
    private long _done;
    private int _workers;
    private int _pausing;
    private bool _callerWantsRoom;
    private bool _news;
    private volatile bool _hasRoom = true;
    private volatile bool _stop;
    private ExceptionDispatchInfo? _error;

    /// <param name="capacity">The maximum number of open files.</param>
    /// <param name="work">
    /// The main function of a thread, which returns when there is nothing left to take. The list contains the thread's files: what
    /// remains in it at the end is closed.
    /// </param>
    public Flusher(int capacity, Action<Flusher, List<PendingFile>> work)
    {
        _capacity = capacity;
        _work = work;
    }

    /// <summary>Whether more files may be added; read without the lock, so possibly out of date.</summary>
    public bool HasRoom => _hasRoom;

    /// <summary>The number of files that are finished.</summary>
    public long Done => Interlocked.Read(ref _done);

    /// <summary>Whether no further results are requested.</summary>
    public bool IsStopped => _stop;

    /// <summary>Takes ownership of an open file of an item, if there is room.</summary>
    public bool TryAdd(DelallocItem item, Descriptor descriptor)
    {
        lock (_gate)
        {
            if (!_free.TryPop(out PendingFile? file))
            {
                if (_made == _capacity)
                {
                    _hasRoom = false;
                    Engage();
                    return false;
                }

                _made++;
                file = new PendingFile();
            }

            if (_arrived.Count >= Batch)
            {
                // Before taking ownership: there may be no thread available.
                Engage();
            }

            _arrived.Enqueue(file);
            file.Take(item, descriptor);
            item.Pending++;
            return true;
        }
    }

    /// <summary>Starts work on what was added, however little it is. Waking a thread for each file takes longer than the file.</summary>
    public void Begin()
    {
        lock (_gate)
        {
            _error?.Throw();
            Engage();
        }
    }

    /// <summary>Prevents an item from being finished while more of its files may be added.</summary>
    public void Hold(DelallocItem item)
    {
        lock (_gate)
        {
            item.Pending++;
            item.LookAgain = false;
        }
    }

    /// <summary>No more files of the item will be added.</summary>
    public void Release(DelallocItem item)
    {
        lock (_gate)
        {
            Count(item);
        }
    }

    /// <summary>A failure that was not reported yet.</summary>
    public bool TryTakeFailure(out (DelallocItem Item, BtrfsException Failure) failure)
    {
        lock (_gate)
        {
            return _failures.TryDequeue(out failure);
        }
    }

    /// <summary>An item whose files are all finished, and whether another pass over them is necessary.</summary>
    public bool TryTakeFinished(out DelallocItem? item, out bool lookAgain)
    {
        lock (_gate)
        {
            bool taken = _finished.TryDequeue(out item);
            lookAgain = taken && item!.LookAgain;
            return taken;
        }
    }

    /// <summary>Waits until there is a result to take, or until a timeout.</summary>
    /// <param name="milliseconds">The timeout.</param>
    /// <param name="forRoom">Also wait for room.</param>
    /// <param name="cancellation">Cancels waiting immediately.</param>
    public void WaitForNews(int milliseconds, bool forRoom, CancellationToken cancellation)
    {
        using CancellationTokenRegistration registration = cancellation.Register(Wake);
        lock (_gate)
        {
            // A little room is not sufficient: the caller would be woken for each file.
            _callerWantsRoom = forRoom;
            if (!_news && _finished.Count + _failures.Count == 0 && !cancellation.IsCancellationRequested)
            {
                Monitor.Wait(_gate, forRoom ? Math.Min(milliseconds, RoomPause) : milliseconds);
            }

            _callerWantsRoom = _news = false;
        }
    }

    /// <summary>
    /// Takes new files, or returns without any when it is time for the next check, on the clock of <see cref="Stopwatch"/>. False
    /// when there is no more work.
    /// </summary>
    public bool TryTake(List<PendingFile> files, out int taken, long nextLook)
    {
        lock (_gate)
        {
            taken = 0;
            while (!_stop && _arrived.Count == 0)
            {
                long left = nextLook - Stopwatch.GetTimestamp();
                if (left <= 0)
                {
                    break;
                }

                _pausing++;
                Monitor.Wait(_gate, (int)Math.Min((left / (Stopwatch.Frequency / 1000)) + 1, int.MaxValue));
                _pausing--;
            }

            files.EnsureCapacity(files.Count + Batch);
            while (!_stop && taken < Batch && _arrived.TryDequeue(out PendingFile? file))
            {
                files.Add(file);
                taken++;
            }

            return !_stop;
        }
    }

    /// <summary>Takes back a file that is quiet, or has failed, and closes it.</summary>
    public void TakeBack(PendingFile file, BtrfsException? failure)
    {
        lock (_gate)
        {
            if (failure is not null)
            {
                _failures.Enqueue((file.Item, failure));
            }

            file.Item.LookAgain |= file.LookAgain;
            file.Item.BusyFiles += file.WasBusy ? 1 : 0;
            file.Item.Rounds = Math.Max(file.Item.Rounds, file.Rounds);
            _done++;
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
    }

    /// <summary>Abandons all files. Those with a pending call are closed when it returns.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stop = true;
            while (_arrived.TryDequeue(out PendingFile? file))
            {
                file.Close();
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
            try
            {
                new Thread(Work) { IsBackground = true, Name = "btrfs-clone" }.Start();
                _workers++;
            }
            catch (Exception e) when (_workers > 0 && e is OutOfMemoryException or ThreadStartException)
            {
                // The system provides no more threads: the existing ones do all the work.
                _maxWorkers = _workers;
            }
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

    /// <summary>The main function of a thread. An exception that ends it early ends the invocation: it is passed to the caller.</summary>
    private void Work()
    {
        var files = new List<PendingFile>();
        try
        {
            _work(this, files);
        }
        catch (Exception e)
        {
            lock (_gate)
            {
                _error ??= ExceptionDispatchInfo.Capture(e);
                _stop = _news = true;
                Monitor.PulseAll(_gate);
            }
        }

        files.ForEach(file => file.Close());
    }

    private void Count(DelallocItem item)
    {
        if (--item.Pending == 0)
        {
            _finished.Enqueue(item);
            Monitor.PulseAll(_gate);
        }
    }
}
