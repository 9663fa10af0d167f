using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace BtrfsClone.Walking;

/// <summary>
/// Brings what any thread has to tell to the thread that works with the session, in order, and lets it show progress.
/// </summary>
internal sealed class EventPump(SessionEvents events)
{
    /// <summary>How often progress can be shown.</summary>
    public const int TickMilliseconds = 50;

    private readonly ConcurrentQueue<Action> _news = new();
    private long _nextTick;
    private int _thread = Environment.CurrentManagedThreadId;
    private ExceptionDispatchInfo? _thrown;

    /// <summary>Keeps a failure; on any thread.</summary>
    public void Report(BtrfsException failure) => Post(() => events.OnFailure(failure));

    /// <summary>Keeps a directory that was passed over; on any thread.</summary>
    public void TellPassedOver(string path, OtherFileSystem mounted)
    {
        if (events.OnPassedOver is { } onPassedOver)
        {
            Post(() => onPassedOver(path, mounted.Text()));
        }
    }

    /// <summary>Keeps something else that is to be told; on any thread.</summary>
    public void Post(Action tell) => _news.Enqueue(tell);

    /// <summary>
    /// Tells what was kept, and lets progress be shown every 50 ms; on the session's thread. It costs nothing to speak
    /// of, and is called for each entry.
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
    /// Lets progress be shown in the middle of an entry; on any thread, and nothing happens on others than the session's. What
    /// that throws, <see cref="Pump"/> does, once the entry is done or given up.
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

    /// <summary>Tells all that was kept; on the session's thread.</summary>
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
