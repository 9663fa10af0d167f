using System.Management.Automation;
using BtrfsClone.Comparing;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Compare-BtrfsItem</c>: how much of a file, or of all files of a tree by relative path, shares its data with another one, by
/// comparing disk addresses.
/// </summary>
[Cmdlet(VerbsData.Compare, "BtrfsItem", DefaultParameterSetName = PathSet, HelpUri = OnlineHelp.Pages + "Compare-BtrfsItem.html")]
[OutputType(typeof(CompareResult))]
public sealed class CompareBtrfsItemCommand : ComparingCmdlet
{
    /// <summary>Writes an object for each file, and for each entry without counterpart, instead of one for the whole item.</summary>
    [Parameter]
    public SwitchParameter Detailed { get; set; }

    /// <inheritdoc/>
    protected override Action<CompareResult>? OnEntry => Detailed ? WriteObject : null;

    /// <inheritdoc/>
    protected override void Take(CompareResult result)
    {
        if (!Detailed)
        {
            WriteObject(result);
        }
    }
}
