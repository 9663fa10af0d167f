using System.Management.Automation;
using BtrfsClone.Comparing;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Compare-BtrfsItem</c>: how much of a file, or of all files of a tree by their relative paths, is stored in the very
/// same place as another one's.
/// </summary>
[Cmdlet(VerbsData.Compare, "BtrfsItem", DefaultParameterSetName = PathSet, HelpUri = OnlineHelp.Pages + "Compare-BtrfsItem.html")]
[OutputType(typeof(CompareResult))]
public sealed class CompareBtrfsItemCommand : ComparingCmdlet
{
    /// <summary>Writes an object for each file, and for each entry without counterpart, in place of one for all together.</summary>
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
