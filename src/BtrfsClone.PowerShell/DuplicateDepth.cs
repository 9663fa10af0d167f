using System.Management.Automation;
using BtrfsClone.Finding;

namespace BtrfsClone.PowerShell;

/// <summary>
/// Lets a <see cref="BtrfsDuplicate"/> keep its places as objects on the way out of a job or a remote session, which by default
/// end at an object's own properties.
/// </summary>
internal static class DuplicateDepth
{
    /// <summary>
    /// Tells the session. A file of types would do so at the import, and would fail the import of a second copy of the module.
    /// </summary>
    public static void Register(PSCmdlet cmdlet) => cmdlet.InvokeCommand.InvokeScript(
        $"Microsoft.PowerShell.Utility\\Update-TypeData -TypeName {typeof(BtrfsDuplicate).FullName} -SerializationDepth 2 -Force");
}
