using System.Management.Automation;

namespace BtrfsClone.PowerShell;

/// <summary>The base class of cmdlets that process one item at a time and take its destination.</summary>
public abstract class DestinationCmdlet : StoppableCmdlet
{
    private string? _destination;

    /// <summary>The item to read. A wildcard has to match one item.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [ItemToPath]
    [SupportsWildcards]
    public string Path { get; set; } = "";

    /// <summary>The item to read. The path is used literally.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath", "LP")]
    public string LiteralPath { get; set; } = "";

    /// <summary>
    /// The destination itself, never a directory to put the item into. It is created if it does not exist. Used literally, without
    /// wildcards.
    /// </summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(LiteralPathCompleter))]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <inheritdoc/>
    protected override void BeginProcessing() =>
        // Pipeline input is not bound yet.
        _destination = Destination.Length > 0 ? SessionPath.Argument(this, Destination) : null;

    /// <summary>
    /// The absolute paths of the item and its destination; false if an error was written for one of them, or the pipeline is
    /// stopping.
    /// </summary>
    protected bool TryResolve(out string item, out string destination)
    {
        bool literal = ParameterSetName == LiteralPathSet;
        item = SessionPath.ResolveOne(this, literal ? LiteralPath : Path, literal, WriteError) ?? "";
        destination = _destination ?? SessionPath.ResolveOne(this, Destination, literal: true, WriteError) ?? "";
        return item.Length > 0 && destination.Length > 0 && !IsStopping;
    }
}
