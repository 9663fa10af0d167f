using System.Management.Automation;
using System.Runtime.InteropServices;

namespace BtrfsClone.PowerShell;

/// <summary>Refuses the import where the module cannot work, before any cmdlet fails in a less clear way.</summary>
public sealed class ModuleInitializer : IModuleAssemblyInitializer
{
    /// <inheritdoc/>
    public void OnImport()
    {
        // The numbers of the kernel's interfaces are known here for these two architectures only.
        if (!OperatingSystem.IsLinux()
            || RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64))
        {
            throw new PlatformNotSupportedException("BtrfsClone works on Linux only, on x64 or arm64.");
        }
    }
}
