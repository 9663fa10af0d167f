using System.ComponentModel;
using System.Runtime.InteropServices;

namespace BtrfsClone;

/// <summary>
/// The signals that end a process by default and that it can take in place of that, from <c>kill</c>, a terminal, a timer
/// or a limit; signal(7). Not among them are SIGKILL, what a fault of the process itself raises (such as SIGSEGV), and
/// real-time signals, of which the runtime uses some. A signal that is ignored when this begins stays ignored. SIGXFSZ is
/// taken too, for good, so that a write beyond <c>ulimit -f</c> fails and ends nothing. Where the system has neither a thread nor two
/// descriptors for it, signals do what they do by default.
/// </summary>
public sealed class TerminationSignals : IDisposable
{
    /// <summary>The number of SIGINT, which Ctrl-C sends.</summary>
    public const int Interrupt = 2;

    /// <summary>The number of SIGQUIT, which Ctrl-\ sends.</summary>
    public const int Quit = 3;

    // SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGSTKFLT, SIGXCPU, SIGVTALRM, SIGPROF, SIGIO, SIGPWR:
    // the same numbers on x86-64 and arm64.
    private static readonly int[] s_numbers = [1, Interrupt, Quit, 10, 12, 14, 15, 16, 24, 26, 27, 29, 30];

    private const int FileSizeLimit = 25; // SIGXFSZ

    // Kept for good: one that is on its way to its handler when that is given up would end the process after all.
    private static PosixSignalRegistration? s_fileSizeLimit;

    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <summary>Begins to take them.</summary>
    /// <param name="handler">
    /// Takes the number of the signal, on a thread of its own. Once it has returned, the signal does what it does by
    /// default, unless <see cref="PosixSignalContext.Cancel"/> is set.
    /// </param>
    public TerminationSignals(Action<PosixSignalContext, int> handler)
    {
        try
        {
            s_fileSizeLimit ??= PosixSignalRegistration.Create((PosixSignal)FileSizeLimit, context => context.Cancel = true);
            Array.ForEach(s_numbers, number => Take(number, context => handler(context, number)));
        }
        catch (Exception e) when (e is TypeInitializationException or Win32Exception or OutOfMemoryException)
        {
            // From the first of them, for which the runtime sets up what it needs for all.
        }
    }

    /// <summary>Lets them end the process again.</summary>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }
    }

    private void Take(int number, Action<PosixSignalContext> handler) =>
        _registrations.Add(PosixSignalRegistration.Create((PosixSignal)number, handler));
}
