namespace BtrfsClone.PowerShell;

/// <summary>
/// Lets cmdlets that are running when the process ends remove temporary data: snapshots, hidden folders, incomplete new files. The
/// process ends by a signal, such as SIGTERM and SIGHUP, or because another runspace calls <c>exit</c>. Ctrl-C is handled by the
/// host: it stops pipelines.
/// </summary>
internal static class ProcessEnd
{
    /// <summary>
    /// How long the end waits for one cmdlet, which may be blocked by the command that reads its output; and how long that cmdlet's
    /// pipeline waits for the end.
    /// </summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static readonly object s_gate = new();
    private static readonly HashSet<StoppableCmdlet> s_running = [];
    private static TerminationSignals? s_signals;

    /// <summary>Also cleans up after this cmdlet if the process ends before <see cref="Remove"/>.</summary>
    public static void Add(StoppableCmdlet cmdlet)
    {
        lock (s_gate)
        {
            s_running.Add(cmdlet);
            if (s_signals is null)
            {
                AppDomain.CurrentDomain.ProcessExit += OnExit;
                s_signals = new TerminationSignals((_, signal) => OnSignal(signal));
            }
        }
    }

    /// <summary>The cmdlet has ended. After the last one, signals are handled by the host only.</summary>
    public static void Remove(StoppableCmdlet cmdlet)
    {
        lock (s_gate)
        {
            if (s_running.Remove(cmdlet) && s_running.Count == 0)
            {
                AppDomain.CurrentDomain.ProcessExit -= OnExit;
                s_signals?.Dispose();
                s_signals = null;
            }
        }
    }

    private static void OnSignal(int signal)
    {
        if (signal is not (TerminationSignals.Interrupt or TerminationSignals.Quit))
        {
            OnExit(null, EventArgs.Empty);
        }
    }

    private static void OnExit(object? sender, EventArgs e)
    {
        StoppableCmdlet[] running;
        lock (s_gate)
        {
            running = [.. s_running];
        }

        Array.ForEach(running, cmdlet => cmdlet.BeginEnd());
        Array.ForEach(running, cmdlet => cmdlet.CompleteEnd());
    }
}
