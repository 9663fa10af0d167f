using System.Management.Automation;
using System.Reflection;
using System.Runtime.Loader;

namespace BtrfsClone.LoadContext;

/// <summary>
/// Loads the engine's library into a context of its own: another module of the session may need another version of it, and the
/// default context holds one only. The manifest lists this assembly as a nested module, which PowerShell imports before the
/// assembly of the cmdlets.
/// </summary>
/// <remarks>The engine itself stays in the default context, the only one in which PowerShell finds types by name.</remarks>
public sealed class LibraryResolver : IModuleAssemblyInitializer
{
    // Once for all copies of the module in one session: their assemblies have the same name.
    static LibraryResolver()
    {
        string folder = Path.GetDirectoryName(typeof(LibraryResolver).Assembly.Location)!;
        string path = Path.Combine(folder, "System.IO.Hashing.dll");
        string library = AssemblyName.GetAssemblyName(path).FullName;
        AssemblyLoadContext context = new("BtrfsClone");
        AssemblyLoadContext.Default.Resolving += (_, name) => name.FullName == library ? context.LoadFromAssemblyPath(path) : null;
    }

    /// <inheritdoc/>
    public void OnImport()
    {
    }
}
