using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace BtrfsClone.Walking;

/// <summary>Transfers events from any thread to the thread that uses the session, in order, and lets it show progress.</summary>
internal sealed class EventPump(SessionEvents events)
{
    /// <summary>The interval at which progress can be shown.</summary>
    public const int TickMilliseconds = 50;

    private readonly ConcurrentQueue<Action> _news = new();
    private long _nextTick;
    private int _thread = Environment.CurrentManagedThreadId;
    private ExceptionDispatchInfo? _thrown;

    /// <summary>Queues a failure; callable on any thread.</summary>
    public void Report(BtrfsException failure) => Post(() => events.OnFailure(failure));

    /// <summary>Queues a skipped directory; callable on any thread.</summary>
    public void TellPassedOver(string path, OtherFileSystem mounted)
    {
        if (events.OnPassedOver is { } onPassedOver)
        {
            Post(() => onPassedOver(path, mounted.Text()));
        }
    }

    /// <summary>Queues another event; callable on any thread.</summary>
    public void Post(Action tell) => _news.Enqueue(tell);

    /// <summary>
    /// Raises queued events, and lets progress be shown every 50 ms; on the session's thread. Its cost is negligible, and it is
    /// called for each entry.
    /// </summary>
    public void Pump()
    {
        _thread = Environment.CurrentManagedThreadId;
        _thrown?.Throw();
        if (!_news.IsEmpty)
        {
            Drain();
        }

        Tick();
    }

    /// <summary>
    /// Lets progress be shown in the middle of an entry; callable on any thread, with no effect on threads other than the
    /// session's. An exception from it is rethrown by <see cref="Pump"/>, once the entry is completed or abandoned.
    /// </summary>
    public void TickWithin()
    {
        if (Environment.CurrentManagedThreadId != _thread || _thrown is not null)
        {
            return;
        }

        try
        {
            Tick();
        }
        catch (Exception e)
        {
            _thrown = ExceptionDispatchInfo.Capture(e);
        }
    }

    /// <summary>Raises all queued events; on the session's thread.</summary>
    public void Drain()
    {
        while (_news.TryDequeue(out Action? tell))
        {
            tell();
        }
    }

    private void Tick()
    {
        long now = Environment.TickCount64;
        if (now >= _nextTick)
        {
            _nextTick = now + TickMilliseconds;
            events.OnTick?.Invoke();
        }
    }
}
