using System.Reflection;
using System.Runtime.CompilerServices;
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

        AssemblyLoadContext.Default.Resolving += (context, name) =>
        {
            string file = Path.Combine(home, name.Name + ".dll");
            return File.Exists(file) ? context.LoadFromAssemblyPath(file) : null;
        };
    }
}
