using System.Management.Automation;
using BtrfsClone.Interop;

namespace BtrfsClone.PowerShell;

/// <summary>What every cmdlet here shares: stopping, and one error record for each thing that fails.</summary>
public abstract class StoppableCmdlet : PSCmdlet, IDisposable
{
    /// <summary>The parameter set of paths that may hold wildcards; the default of every cmdlet.</summary>
    protected const string PathSet = "Path";

    /// <summary>The parameter set of paths that are taken as they are.</summary>
    protected const string LiteralPathSet = "LiteralPath";

    private readonly CancellationTokenSource _stopping = new();

    // Held while the engine works: nothing is released under its hands when the process ends.
    private readonly object _work = new();
    private volatile bool _processEnds;
    private bool _disposing;

    private bool IsDebugging => MyInvocation.BoundParameters.TryGetValue("Debug", out object? given)
        ? (SwitchParameter)given
        : GetVariableValue("DebugPreference") is not (null or ActionPreference.SilentlyContinue or ActionPreference.Ignore);

    /// <summary>Makes a cmdlet.</summary>
    protected StoppableCmdlet() => Cancellation = _stopping.Token;

    /// <summary>Whether an error has been written.</summary>
    protected bool HasFailed { get; private set; }

    /// <summary>Signaled when the pipeline is stopped (Ctrl-C), or the process ends.</summary>
    protected CancellationToken Cancellation { get; }

    /// <summary>Whether what would be done is to be told, in place of doing it.</summary>
    protected bool IsWhatIf => MyInvocation.BoundParameters.TryGetValue("WhatIf", out object? given)
        ? (SwitchParameter)given
        : LanguagePrimitives.IsTrue(GetVariableValue("WhatIfPreference"));

    /// <summary>Whether nothing more is to be begun.</summary>
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
            // The pipeline is being stopped and takes nothing more, errors included.
        }

        StayWhileProcessEnds();
    }

    /// <summary>Works, and tells the calls of it with <c>-Debug</c>.</summary>
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
    /// Writes a result while nothing is under way. The commands that take it may run for long: should the process end
    /// meanwhile, what the cmdlet holds is released at once.
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

    /// <summary>Has what is temporary removed also when the process ends while the cmdlet runs.</summary>
    protected void CleanUpWhenProcessEnds() => ProcessEnd.Add(this);

    /// <summary>The process ends: stops what is under way.</summary>
    internal void BeginEnd()
    {
        _processEnds = true;
        StopProcessing();
    }

    /// <summary>The process ends: releases what the cmdlet holds, once nothing works with it any more.</summary>
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

    /// <summary>With <c>-Verbose</c>: says of an item what it is not, and why nothing is done with it.</summary>
    /// <param name="path">The item.</param>
    /// <param name="what">What it is not: "not a directory", say.</param>
    protected void TellPassedOver(string path, string what) => WriteVerbose($"'{PathText.Printable(path)}' is {what}; it is left out.");

    /// <summary>What says which directories are left out since something is mounted on them; null where that was asked for.</summary>
    /// <param name="oneFileSystem">Whether it was.</param>
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
            // The pipeline has ended and takes no error more. What could not be removed is told all the same.
            Host.UI.WriteErrorLine(error.Exception.Message);
        }
        else
        {
            WriteError(error);
        }
    }

    /// <summary>Releases what the cmdlet holds; PowerShell calls it when the pipeline has ended.</summary>
    public void Dispose()
    {
        ProcessEnd.Remove(this);
        lock (_work)
        {
            Release();
        }

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

    private void Release()
    {
        if (!_disposing)
        {
            _disposing = true;
            Dispose(true);
        }
    }

    /// <summary>
    /// Keeps the pipeline where it is once its work was stopped by the end of the process: no script is to go on as if that
    /// had been done. If the process does not end, since something has taken the signal, the pipeline ends.
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
