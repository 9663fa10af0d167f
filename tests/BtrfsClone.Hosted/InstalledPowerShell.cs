using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace BtrfsClone.Hosted;

/// <summary>Loads PowerShell's assemblies from the folder that the build was given, if any.</summary>
internal static class InstalledPowerShell
{
    [ModuleInitializer]
    internal static void Use()
    {
        string? home = typeof(InstalledPowerShell).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(attribute => attribute.Key == "PowerShellHome")?.Value;
        if (home is null)
        {
            return;
        }

        // The folder of a package holds all files side by side, that of a .NET tool has some for each kind of machine.
        var dependencies = new AssemblyDependencyResolver(Path.Combine(home, "pwsh.dll"));
        AssemblyLoadContext.Default.Resolving += (context, name) =>
            dependencies.ResolveAssemblyToPath(name) is string file ? context.LoadFromAssemblyPath(file) : null;
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) =>
            dependencies.ResolveUnmanagedDllToPath(name) is string file ? NativeLibrary.Load(file) : 0;
    }
}
