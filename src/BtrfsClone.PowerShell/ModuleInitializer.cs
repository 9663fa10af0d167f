using System.Management.Automation;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace BtrfsClone.PowerShell;

/// <summary>Rejects the import where the module cannot work, before any cmdlet fails with a less clear error.</summary>
public sealed class ModuleInitializer : IModuleAssemblyInitializer
{
    // Once for all copies of the module in one session: their assemblies have the same name. The library is needed after the import.
    static ModuleInitializer() => AssemblyLoadContext.Default.Resolving += LibraryResolver.Resolve;

    /// <inheritdoc/>
    public void OnImport()
    {
        // The constants of the kernel interfaces are only known here for these two architectures.
        if (!OperatingSystem.IsLinux()
            || RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64))
        {
            throw new PlatformNotSupportedException("BtrfsClone works on Linux only, on x64 or arm64.");
        }
    }
}
