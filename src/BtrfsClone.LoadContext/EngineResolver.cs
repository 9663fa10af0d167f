using System.Management.Automation;
using System.Runtime.Loader;

namespace BtrfsClone.LoadContext;

/// <summary>
/// Makes the cmdlets find the engine in its own context. The manifest lists this assembly among its nested modules, which
/// PowerShell imports before the assembly of the cmdlets.
/// </summary>
public sealed class EngineResolver : IModuleAssemblyInitializer
{
    private const string Engine = "BtrfsClone";

    // Once for all copies of the module in one session: their assemblies have the same name.
    static EngineResolver()
    {
        EngineContext context = new();
        AssemblyLoadContext.Default.Resolving += (_, name) => name.Name == Engine ? context.LoadFromAssemblyName(name) : null;
    }

    /// <inheritdoc/>
    public void OnImport()
    {
    }
}
