using System.Management.Automation;

namespace BtrfsClone.PowerShell;

/// <summary>
/// The base class of cmdlets that accept any number of items: the two path parameters, and their resolution against the session's
/// location and drives.
/// </summary>
public abstract class BtrfsCmdlet : StoppableCmdlet
{
    /// <summary>
    /// <para type="description">The items, with wildcards. As in PowerShell's own cmdlets, a wildcard does not match names that
    /// begin with a dot.</para>
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [ItemToPath]
    [SupportsWildcards]
    public virtual string[] Path { get; set; } = [];

    /// <summary><para type="description">The items, each path used literally.</para></summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath", "LP")]
    public virtual string[] LiteralPath { get; set; } = [];

    /// <summary>Wildcards also match names that begin with a dot.</summary>
    protected virtual bool TakesHidden => false;

    /// <summary>Processes one item. A <see cref="BtrfsException"/> becomes a non-terminating error for that item.</summary>
    /// <param name="item">The resolved item; it need not exist.</param>
    protected abstract void ProcessItem(ItemPath item);

    /// <inheritdoc/>
    protected sealed override void ProcessRecord()
    {
        bool literal = LiteralPath.Length > 0;
        string[] paths = literal ? LiteralPath : Path;
        foreach (string path in paths.Length == 0 ? SessionPath.Here : paths)
        {
            foreach (ItemPath item in SessionPath.Resolve(this, path, literal, Report, TakesHidden))
            {
                if (IsStopping)
                {
                    return;
                }

                Attempt(() => ProcessItem(item));
            }
        }
    }
}
