using System.Management.Automation;

namespace BtrfsClone.PowerShell;

/// <summary>
/// What every cmdlet here shares: the two path parameters, their resolution against the session's location and
/// drives, one error record for each bad item, and stopping.
/// </summary>
public abstract class BtrfsCmdlet : PSCmdlet, IDisposable
{
    /// <summary>The parameter set of paths that may hold wildcards; the default of every cmdlet.</summary>
    protected const string PathSet = "Path";

    /// <summary>The parameter set of paths that are taken as they are.</summary>
    protected const string LiteralPathSet = "LiteralPath";

    private readonly CancellationTokenSource _stopping = new();

    /// <summary>
    /// <para type="description">The items, with wildcards. As in PowerShell's own cmdlets, a wildcard passes over
    /// names that begin with a dot.</para>
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [FileSystemInfoToPath]
    [SupportsWildcards]
    public string[] Path { get; set; } = [];

    /// <summary><para type="description">The items, each path taken as it is.</para></summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath", "LP")]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>Signaled when the pipeline is stopped (Ctrl-C).</summary>
    protected CancellationToken Cancellation => _stopping.Token;

    /// <summary>Works on one item. A <see cref="BtrfsException"/> becomes a non-terminating error of that item.</summary>
    /// <param name="item">The resolved item; it need not exist.</param>
    protected abstract void ProcessItem(ItemPath item);

    /// <inheritdoc/>
    protected sealed override void ProcessRecord()
    {
        bool literal = ParameterSetName == LiteralPathSet;
        foreach (string path in literal ? LiteralPath : Path)
        {
            foreach (ItemPath item in SessionPath.Resolve(this, path, literal, WriteError))
            {
                if (Cancellation.IsCancellationRequested)
                {
                    return;
                }

                Process(item);
            }
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

    /// <summary>Writes the non-terminating error of a failed item.</summary>
    /// <param name="failure">The failure; its path becomes the record's target object.</param>
    protected void WriteFailure(BtrfsException failure) => WriteError(ErrorRecords.From(failure));

    /// <summary>Releases what the cmdlet holds; PowerShell calls it when the pipeline has ended.</summary>
    public void Dispose()
    {
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

    private void Process(ItemPath item)
    {
        try
        {
            ProcessItem(item);
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
}
