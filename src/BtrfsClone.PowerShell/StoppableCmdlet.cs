using System.Management.Automation;

namespace BtrfsClone.PowerShell;

/// <summary>What every cmdlet here shares: stopping, and one error record for each thing that fails.</summary>
public abstract class StoppableCmdlet : PSCmdlet, IDisposable
{
    /// <summary>The parameter set of paths that may hold wildcards; the default of every cmdlet.</summary>
    protected const string PathSet = "Path";

    /// <summary>The parameter set of paths that are taken as they are.</summary>
    protected const string LiteralPathSet = "LiteralPath";

    private readonly CancellationTokenSource _stopping = new();
    private bool _disposing;

    /// <summary>Whether an error has been written.</summary>
    protected bool HasFailed { get; private set; }

    /// <summary>Signaled when the pipeline is stopped (Ctrl-C).</summary>
    protected CancellationToken Cancellation => _stopping.Token;

    /// <inheritdoc/>
    protected override void StopProcessing()
    {
        try
        {
            _stopping.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // Stopping comes from another thread and may meet a cmdlet that has just ended.
        }
    }

    /// <summary>Does one thing whose <see cref="BtrfsException"/> becomes a non-terminating error.</summary>
    /// <param name="work">What is to be done.</param>
    protected void Attempt(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        try
        {
            work();
        }
        catch (BtrfsException failure)
        {
            WriteFailure(failure);
        }
        catch (OperationCanceledException) when (Cancellation.IsCancellationRequested)
        {
            // The pipeline is being stopped and takes nothing more, errors included.
        }
    }

    /// <summary>Writes the non-terminating error of a failed item.</summary>
    /// <param name="failure">The failure; its path becomes the record's target object.</param>
    protected void WriteFailure(BtrfsException failure) => Report(ErrorRecords.From(failure));

    /// <summary>Writes a non-terminating error.</summary>
    /// <param name="error">The record.</param>
    protected void Report(ErrorRecord error)
    {
        HasFailed = true;
        if (!_disposing)
        {
            WriteError(error); // Which throws once the pipeline has ended.
        }
    }

    /// <summary>Releases what the cmdlet holds; PowerShell calls it when the pipeline has ended.</summary>
    public void Dispose()
    {
        _disposing = true;
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases what the cmdlet holds.</summary>
    /// <param name="disposing">True unless called by a finalizer.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stopping.Dispose();
        }
    }
}
