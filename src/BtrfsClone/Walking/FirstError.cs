using System.Runtime.ExceptionServices;

namespace BtrfsClone.Walking;

/// <summary>Keeps the first exception of several threads, to be rethrown on the calling thread after all of them have ended.</summary>
internal sealed class FirstError
{
    private ExceptionDispatchInfo? _error;

    public bool IsSet => Volatile.Read(ref _error) is not null;

    /// <summary>Keeps an exception, unless there is an earlier one; on any thread.</summary>
    public void Keep(Exception e) => Interlocked.CompareExchange(ref _error, ExceptionDispatchInfo.Capture(e), null);

    /// <summary>Runs an action, and keeps what it throws; on any thread.</summary>
    public void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            Keep(e);
        }
    }

    /// <summary>Rethrows the exception, if there is one.</summary>
    public void Throw() => _error?.Throw();
}
