using System.ComponentModel;
using System.Runtime.InteropServices;
using BtrfsClone.Cloning;

namespace BtrfsClone.Cli;

/// <summary>One run of a verb: the token that a signal cancels, the failures reported so far, and the resulting exit code.</summary>
internal sealed class Invocation : IDisposable
{
    private readonly CancellationTokenSource _cancellation = new();
    private readonly TerminationSignals _signals;
    private int _signal;
    private bool _failed;

    private Invocation() => _signals = new TerminationSignals(Stop);

    /// <summary>
    /// Cancelled by the first signal that asks the program to end. After that, Ctrl-C and Ctrl-\ end the process immediately; other
    /// signals may well arrive twice: closing a terminal sends SIGHUP, and so does its shell.
    /// </summary>
    public CancellationToken Cancellation => _cancellation.Token;

    public ProgressLine Progress { get; } = new();

    /// <summary>Runs a verb's body and converts the result to an exit code.</summary>
    public static int Run(Action<Invocation> body)
    {
        using Invocation run = new();
        try
        {
            body(run);
        }
        catch (BtrfsException failure)
        {
            run.Fail(failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or Win32Exception)
        {
            // A child process that was ended by the same Ctrl-C may be seen to fail before the signal arrives here.
            if (!run.Cancellation.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(100)))
            {
                run.Fail(failure.Message);
            }
        }
        catch (OperationCanceledException) when (run._cancellation.IsCancellationRequested)
        {
        }

        run.Progress.Clear();
        return run._signal != 0 ? ExitCode.Signal + run._signal
            : run._failed ? ExitCode.Failed
            : ExitCode.Done;
    }

    /// <summary>Reports one failure, as a line on standard error, and continues.</summary>
    public void Fail(BtrfsException failure)
    {
        string cause = failure.Errno == 0 ? "" : $"{failure.Cause}. ";
        Fail($"{PathText.Printable(failure.Path)}: {failure.Description}: {cause}{failure.Advice(OptionNames.Of)}");
    }

    /// <summary>Processes one item, and reports a failure.</summary>
    public void Try(Action work)
    {
        try
        {
            work();
        }
        catch (BtrfsException failure)
        {
            Fail(failure);
        }
    }

    /// <summary>Reports one failure as text: <c>PATH: what: why</c>.</summary>
    public void Fail(string line)
    {
        _failed = true;
        Warn(line);
    }

    /// <summary>Makes the exit code 1 without a failure: the answer is no.</summary>
    public void Deny() => _failed = true;

    /// <summary>Writes a warning, which is not a failure.</summary>
    public void Warn(string line)
    {
        Progress.Clear();
        Console.Error.WriteLine($"btrfs-clone: {line}");
    }

    /// <summary>
    /// The callback that warns about directories that are skipped because something is mounted on them; null if skipping them was
    /// requested.
    /// </summary>
    public Action<string, string>? WarnOfMounts(bool oneFileSystem) => oneFileSystem
        ? null
        : (path, mounted) => Warn($"{PathText.Printable(path)}: {mounted} is mounted here; it is left out.");

    /// <summary>Warns about what was read without a snapshot, although a point in time was requested.</summary>
    public void WarnOfMoments(IReadOnlyList<string> paths)
    {
        foreach (string path in paths)
        {
            Warn($"{PathText.Printable(path)}: not of one moment: each of its files is of its own.");
        }
    }

    /// <summary>
    /// Warns about lost metadata. As in cp(1), permissions that could not be preserved make the run fail; other losses do not.
    /// </summary>
    public void WarnOf(IReadOnlyList<MetadataLoss> losses)
    {
        foreach (MetadataLoss loss in losses)
        {
            Warn(loss.Description);
            if (loss.ChangesAccess)
            {
                Deny();
            }
        }
    }

    public void Dispose()
    {
        _signals.Dispose();
        _cancellation.Dispose();
    }

    private void Stop(PosixSignalContext context, int signal)
    {
        bool isFirst = Interlocked.CompareExchange(ref _signal, signal, 0) == 0;
        context.Cancel = isFirst || signal is not (TerminationSignals.Interrupt or TerminationSignals.Quit);
        if (isFirst)
        {
            _cancellation.Cancel();
        }
    }
}
