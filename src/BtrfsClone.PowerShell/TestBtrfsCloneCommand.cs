using System.Management.Automation;
using BtrfsClone.Comparing;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Test-BtrfsClone</c>: whether a file or a tree is a clone of another one: every byte has the same disk address, and there is
/// no entry more or less.
/// </summary>
[Cmdlet(VerbsDiagnostic.Test, "BtrfsClone", DefaultParameterSetName = PathSet, HelpUri = OnlineHelp.Pages + "Test-BtrfsClone.html")]
[OutputType(typeof(bool))]
public sealed class TestBtrfsCloneCommand : ComparingCmdlet
{
    /// <inheritdoc/>
    protected override void Take(CompareResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        WriteObject(result.IsClone);
    }
}
