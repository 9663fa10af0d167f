using System.Management.Automation;
using BtrfsClone.Interop;

namespace BtrfsClone.PowerShell;

/// <summary>The base class of all cmdlets here: stopping, and one error record per failure.</summary>
public abstract class StoppableCmdlet : PSCmdlet, IDisposable
{
    /// <summary>The parameter set of paths with wildcards; the default of every cmdlet.</summary>
    protected const string PathSet = "Path";

    /// <summary>The parameter set of literal paths.</summary>
    protected const string LiteralPathSet = "LiteralPath";

    private readonly CancellationTokenSource _stopping = new();

    // Held while the engine works: nothing that it uses is released when the process ends.
    private readonly object _work = new();
    private volatile bool _processEnds;
    private bool _disposing;

    private bool IsDebugging => MyInvocation.BoundParameters.TryGetValue("Debug", out object? given)
        ? (SwitchParameter)given
        : GetVariableValue("DebugPreference") is not (null or ActionPreference.SilentlyContinue or ActionPreference.Ignore);

    /// <summary>Creates a cmdlet.</summary>
    protected StoppableCmdlet() => Cancellation = _stopping.Token;

    /// <summary>Whether an error has been written.</summary>
    protected bool HasFailed { get; private set; }

    /// <summary>Signaled when the pipeline is stopped (Ctrl-C), or the process ends.</summary>
    protected CancellationToken Cancellation { get; }

    /// <summary>Whether to describe what would be done, instead of doing it.</summary>
    protected bool IsWhatIf => MyInvocation.BoundParameters.TryGetValue("WhatIf", out object? given)
        ? (SwitchParameter)given
        : LanguagePrimitives.IsTrue(GetVariableValue("WhatIfPreference"));

    /// <summary>Whether nothing more is to be started.</summary>
    protected bool IsStopping
    {
        get
        {
            StayWhileProcessEnds();
            return Cancellation.IsCancellationRequested;
        }
    }

    /// <inheritdoc/>
    protected override void StopProcessing()
    {
        try
        {
            _stopping.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // Stopping comes from another thread and may find a cmdlet that has just ended.
        }
    }

    /// <summary>Performs one action whose <see cref="BtrfsException"/> becomes a non-terminating error.</summary>
    /// <param name="work">The action.</param>
    protected void Attempt(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        try
        {
            lock (_work)
            {
                if (!_processEnds)
                {
                    Work(work);
                }
            }
        }
        catch (BtrfsException failure)
        {
            WriteFailure(failure);
        }
        catch (OperationCanceledException) when (Cancellation.IsCancellationRequested)
        {
            // The pipeline is being stopped and accepts nothing more, not even errors.
        }

        StayWhileProcessEnds();
    }

    /// <summary>Performs an action, and with <c>-Debug</c> shows its system calls.</summary>
    private void Work(Action work)
    {
        if (!IsDebugging)
        {
            work();
            return;
        }

        using CallTrace trace = new();
        try
        {
            work();
        }
        finally
        {
            string calls = trace.ToString();
            if (calls.Length > 0 && !Cancellation.IsCancellationRequested)
            {
                WriteDebug($"System calls: {calls}");
            }
        }
    }

    /// <summary>
    /// Writes a result while the engine is idle. The commands that read it may run for a long time: if the process ends in the
    /// meantime, the cmdlet's resources are released at once.
    /// </summary>
    protected void WriteResult(object? result, bool enumerateCollection = false)
    {
        Monitor.Exit(_work);
        try
        {
            WriteObject(result, enumerateCollection);
        }
        finally
        {
            Monitor.Enter(_work);
        }

        if (_processEnds)
        {
            throw new PipelineStoppedException();
        }
    }

    /// <summary>Makes temporary data be removed even if the process ends while the cmdlet is running.</summary>
    protected void CleanUpWhenProcessEnds() => ProcessEnd.Add(this);

    /// <summary>The process is ending: stops the current work.</summary>
    internal void BeginEnd()
    {
        _processEnds = true;
        StopProcessing();
    }

    /// <summary>The process is ending: releases the cmdlet's resources, once the engine does not use them any more.</summary>
    internal void CompleteEnd()
    {
        if (Monitor.TryEnter(_work, ProcessEnd.Limit))
        {
            Release();
            Monitor.Exit(_work);
        }
    }

    /// <summary>Writes the non-terminating error of a failed item.</summary>
    /// <param name="failure">The failure; its path becomes the record's target object.</param>
    protected void WriteFailure(BtrfsException failure) => Report(ErrorRecords.From(failure));

    /// <summary>With <c>-Verbose</c>: states that an item is skipped, and why.</summary>
    /// <param name="path">The item.</param>
    /// <param name="what">Why it is skipped, such as "not a directory".</param>
    protected void TellPassedOver(string path, string what) => WriteVerbose($"'{PathText.Printable(path)}' is {what}; it is left out.");

    /// <summary>
    /// The callback that warns about directories that are skipped because something is mounted on them; null if skipping them was
    /// requested.
    /// </summary>
    /// <param name="oneFileSystem">Whether it was requested.</param>
    protected Action<string, string>? WarnOfMounts(bool oneFileSystem) => oneFileSystem
        ? null
        : (path, mounted) => WriteWarning($"'{PathText.Printable(path)}' is left out: {mounted} is mounted there.");

    /// <summary>Writes a non-terminating error.</summary>
    /// <param name="error">The record.</param>
    protected void Report(ErrorRecord error)
    {
        ArgumentNullException.ThrowIfNull(error);
        HasFailed = true;
        if (_disposing)
        {
            // The pipeline has ended and accepts no more errors. What could not be removed is reported nevertheless.
            Host.UI.WriteErrorLine(error.Exception.Message);
        }
        else
        {
            WriteError(error);
        }
    }

    /// <summary>Releases the cmdlet's resources; PowerShell calls it when the pipeline has ended.</summary>
    public void Dispose()
    {
        ProcessEnd.Remove(this);
        lock (_work)
        {
            Release();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Releases the cmdlet's resources.</summary>
    /// <param name="disposing">True unless called by a finalizer.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stopping.Dispose();
        }
    }

    private void Release()
    {
        if (!_disposing)
        {
            _disposing = true;
            Dispose(true);
        }
    }

    /// <summary>
    /// Blocks the pipeline after its work was stopped by the end of the process: no script may continue as if that had been done.
    /// If the process does not end, because something has handled the signal, the pipeline ends.
    /// </summary>
    private void StayWhileProcessEnds()
    {
        if (_processEnds)
        {
            Thread.Sleep(ProcessEnd.Limit);
            throw new PipelineStoppedException();
        }
    }
}
