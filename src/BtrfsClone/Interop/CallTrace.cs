using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace BtrfsClone.Interop;

/// <summary>
/// Counts the system calls that the engine makes in this process between creation and disposal of this object, on any thread.
/// Nothing is counted in the native program.
/// </summary>
public sealed class CallTrace : IDisposable
{
    private static readonly object s_gate = new();
    private static volatile CallTrace[] s_active = [];

    private readonly ConcurrentDictionary<(string Call, Errno Error), long> _counts = new();

    /// <summary>Starts counting.</summary>
    public CallTrace()
    {
        lock (s_gate)
        {
            s_active = [.. s_active, this];
        }
    }

    /// <summary>Whether calls are being counted.</summary>
    internal static bool IsOn
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => RuntimeFeature.IsDynamicCodeSupported && s_active.Length > 0;
    }

    /// <summary>Counts a call.</summary>
    internal static void Add(string call, CallResult result)
    {
        foreach (CallTrace trace in s_active)
        {
            trace._counts.AddOrUpdate((call, result.Error), 1, (_, count) => count + 1);
        }
    }

    /// <summary>The calls by name, with the errno of those that failed, and their number: <c>Clone 2, OpenAt ENOENT 1</c>.</summary>
    public override string ToString() => string.Join(", ", _counts
        .ToArray() // A snapshot: other threads may still be adding.
        .OrderBy(count => count.Key.Call, StringComparer.Ordinal).ThenBy(count => count.Key.Error)
        .Select(count => count.Key.Error == Errno.None
            ? $"{count.Key.Call} {count.Value}"
            : $"{count.Key.Call} {count.Key.Error} {count.Value}"));

    /// <summary>Stops counting.</summary>
    public void Dispose()
    {
        lock (s_gate)
        {
            s_active = Array.FindAll(s_active, trace => trace != this);
        }
    }
}
