using System.Runtime.InteropServices;

namespace BtrfsClone.Cli;

/// <summary>
/// One run of a verb: the token that SIGINT and SIGTERM cancel, the failures reported so far, and from both the exit
/// code.
/// </summary>
internal sealed class Invocation : IDisposable
{
    private readonly CancellationTokenSource _cancellation = new();
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;
    private int _signalExitCode;
    private bool _failed;

    private Invocation()
    {
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, c => Stop(c, ExitCode.Interrupted));
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, c => Stop(c, ExitCode.Terminated));
    }

    /// <summary>Cancelled by the first SIGINT or SIGTERM; a second one ends the process at once.</summary>
    public CancellationToken Cancellation => _cancellation.Token;

    public ProgressLine Progress { get; } = new();

    /// <summary>Runs a verb's body and turns what came of it into the exit code.</summary>
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
        catch (IOException failure)
        {
            // A child process that the same Ctrl-C has ended may be seen to fail before the signal is seen here.
            if (!run.Cancellation.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(100)))
            {
                run.Fail(failure.Message);
            }
        }
        catch (OperationCanceledException) when (run._cancellation.IsCancellationRequested)
        {
        }

        run.Progress.Clear();
        return run._signalExitCode != 0 ? run._signalExitCode
            : run._failed ? ExitCode.Failed
            : ExitCode.Done;
    }

    /// <summary>Reports one failure, as a line on standard error, and goes on.</summary>
    public void Fail(BtrfsException failure)
    {
        string cause = failure.Errno == 0
            ? ""
            : $"{failure.Call}: {Marshal.GetPInvokeErrorMessage(failure.Errno)}. ";
        Fail($"{PathText.Printable(failure.Path)}: {failure.Description}: {cause}{failure.RecommendedAction}");
    }

    /// <summary>Reports one failure in words: <c>PATH: what: why</c>.</summary>
    public void Fail(string line)
    {
        _failed = true;
        Warn(line);
    }

    /// <summary>Ends with 1 though nothing failed: the answer is no.</summary>
    public void Deny() => _failed = true;

    /// <summary>Says what is no failure.</summary>
    public void Warn(string line)
    {
        Progress.Clear();
        Console.Error.WriteLine($"btrfs-clone: {line}");
    }

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        _cancellation.Dispose();
    }

    private void Stop(PosixSignalContext context, int exitCode)
    {
        context.Cancel = _signalExitCode == 0;
        _signalExitCode = exitCode;
        _cancellation.Cancel();
    }
}
