using System.Management.Automation;

namespace BtrfsClone.PowerShell;

/// <summary>The base class of cmdlets that compare a file or a tree with another one, the reference.</summary>
public abstract class PairCmdlet : StoppableCmdlet
{
    /// <summary>The file or directory to compare with. The path is used literally, without wildcards.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = PathSet)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = LiteralPathSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(LiteralPathCompleter))]
    public string ReferencePath { get; set; } = "";

    /// <summary>The file, or the directory with everything below it by relative path. A wildcard has to match one item.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [ItemToPath]
    [SupportsWildcards]
    public string Path { get; set; } = "";

    /// <summary>The file or directory. The path is used literally.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath", "LP")]
    public string LiteralPath { get; set; } = "";

    /// <summary>Skips other filesystems that are mounted below directories. Nested subvolumes count as part of the filesystem.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter OneFileSystem { get; set; }

    /// <summary>The reference's absolute path.</summary>
    protected string Reference { get; private set; } = "";

    /// <summary>Processes one pair. A <see cref="BtrfsException"/> becomes a non-terminating error.</summary>
    /// <param name="path">The item's absolute path; it need not exist.</param>
    protected abstract void ProcessPair(string path);

    /// <inheritdoc/>
    protected override void BeginProcessing() =>
        Reference = ReferencePath.Length > 0 ? SessionPath.Argument(this, ReferencePath) : "";

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        bool literal = ParameterSetName == LiteralPathSet;
        string? path = SessionPath.ResolveOne(this, literal ? LiteralPath : Path, literal, WriteError);
        if (path is not null && !IsStopping)
        {
            Attempt(() => ProcessPair(path));
        }
    }
}
