using System.ComponentModel;
using System.Runtime.InteropServices;
using BtrfsClone.Cloning;

namespace BtrfsClone.Cli;

/// <summary>
/// One run of a verb: the token that a signal cancels, the failures reported so far, and from both the exit code.
/// </summary>
internal sealed class Invocation : IDisposable
{
    private readonly CancellationTokenSource _cancellation = new();
    private readonly TerminationSignals _signals;
    private int _signal;
    private bool _failed;

    private Invocation() => _signals = new TerminationSignals(Stop);

    /// <summary>
    /// Cancelled by the first signal that asks the program to end. After it Ctrl-C and Ctrl-\ end the process at once;
    /// others may well come twice: a terminal that is closed sends SIGHUP, and so does its shell.
    /// </summary>
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
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or Win32Exception)
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
        return run._signal != 0 ? ExitCode.Signal + run._signal
            : run._failed ? ExitCode.Failed
            : ExitCode.Done;
    }

    /// <summary>Reports one failure, as a line on standard error, and goes on.</summary>
    public void Fail(BtrfsException failure)
    {
        string cause = failure.Errno == 0 ? "" : $"{failure.Cause}. ";
        Fail($"{PathText.Printable(failure.Path)}: {failure.Description}: {cause}{failure.Advice(OptionNames.Of)}");
    }

    /// <summary>Works on one item, and reports where that fails.</summary>
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

    /// <summary>What says which directories are left out since something is mounted on them; null where that was asked for.</summary>
    public Action<string, string>? WarnOfMounts(bool oneFileSystem) => oneFileSystem
        ? null
        : (path, mounted) => Warn($"{PathText.Printable(path)}: {mounted} is mounted here; it is left out.");

    /// <summary>Says what was read without a snapshot, though it was to be of one moment.</summary>
    public void WarnOfMoments(IReadOnlyList<string> paths)
    {
        foreach (string path in paths)
        {
            Warn($"{PathText.Printable(path)}: not of one moment: each of its files is of its own.");
        }
    }

    /// <summary>Says what metadata was lost. As with cp(1), permissions that could not be kept fail the run; all else does not.</summary>
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
