using System.ComponentModel;
using System.Runtime.InteropServices;

namespace BtrfsClone;

/// <summary>
/// The signals that terminate a process by default and that it can handle instead, from <c>kill</c>, a terminal, a timer or a
/// limit; signal(7). Not included are SIGKILL, signals that a fault of the process itself raises (such as SIGSEGV), and real-time
/// signals, some of which the runtime uses. A signal that is ignored when this object is created stays ignored. SIGXFSZ is also
/// handled, permanently, so that a write beyond <c>ulimit -f</c> fails and does not terminate the process. If the system can
/// provide neither a thread nor two descriptors for this, signals keep their default action.
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

    // Permanent: a signal that is being delivered while its handler is removed would terminate the process.
    private static PosixSignalRegistration? s_fileSizeLimit;

    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <summary>Starts handling the signals.</summary>
    /// <param name="handler">
    /// Receives the number of the signal, on a thread of its own. After it returns, the signal has its default effect, unless
    /// <see cref="PosixSignalContext.Cancel"/> is set.
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
            // After the first registration, which makes the runtime set up what all of them need.
        }
    }

    /// <summary>Restores the default action.</summary>
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
