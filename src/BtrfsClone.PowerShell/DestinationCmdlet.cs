using System.Management.Automation;

namespace BtrfsClone.PowerShell;

/// <summary>What the cmdlets share that take one item at a time and name what it goes to.</summary>
public abstract class DestinationCmdlet : StoppableCmdlet
{
    private string? _destination;

    /// <summary>The item that is read. A wildcard has to match one.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [ItemToPath]
    [SupportsWildcards]
    public string Path { get; set; } = "";

    /// <summary>The item that is read, its path taken as it is.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath", "LP")]
    public string LiteralPath { get; set; } = "";

    /// <summary>
    /// What it goes to, itself and never a directory to put it into. It is made when it is missing. Taken as it is, without
    /// wildcards.
    /// </summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(LiteralPathCompleter))]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <inheritdoc/>
    protected override void BeginProcessing() =>
        // What comes from the pipeline is not bound yet.
        _destination = Destination.Length > 0 ? SessionPath.Argument(this, Destination) : null;

    /// <summary>The absolute paths of the item and of what it goes to; false where one is told as an error, or all is over.</summary>
    protected bool TryResolve(out string item, out string destination)
    {
        bool literal = ParameterSetName == LiteralPathSet;
        item = SessionPath.ResolveOne(this, literal ? LiteralPath : Path, literal, WriteError) ?? "";
        destination = _destination ?? SessionPath.ResolveOne(this, Destination, literal: true, WriteError) ?? "";
        return item.Length > 0 && destination.Length > 0 && !IsStopping;
    }
}
