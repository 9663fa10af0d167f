using System.Management.Automation;
using BtrfsClone.Finding;

namespace BtrfsClone.PowerShell;

/// <summary>
/// Makes the places of a <see cref="BtrfsDuplicate"/> survive serialization from a job or a remote session as objects; by default
/// only an object's own properties do.
/// </summary>
internal static class DuplicateDepth
{
    /// <summary>
    /// Configures the session. A types file would do this at import, but would make the import of a second copy of the module fail.
    /// </summary>
    public static void Register(PSCmdlet cmdlet) => cmdlet.InvokeCommand.InvokeScript(
        $"Microsoft.PowerShell.Utility\\Update-TypeData -TypeName {typeof(BtrfsDuplicate).FullName} -SerializationDepth 2 -Force");
}
