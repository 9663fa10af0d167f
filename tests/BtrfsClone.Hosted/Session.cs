using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Runspaces;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Hosted;

/// <summary>Runspaces that have the module loaded.</summary>
internal static class Session
{
    public static string Manifest { get; } = Path.Combine(Program.RepositoryRoot, "BtrfsClone.psd1");

    /// <summary>An initial state that imports the module.</summary>
    public static InitialSessionState State()
    {
        InitialSessionState state = InitialSessionState.CreateDefault2();
        state.ImportPSModule([Manifest]);
        return state;
    }

    /// <summary>Opens a runspace.</summary>
    public static Runspace Open(PSHost? host = null)
    {
        Runspace runspace = host is null
            ? RunspaceFactory.CreateRunspace(State())
            : RunspaceFactory.CreateRunspace(host, State());
        runspace.Open();
        return runspace;
    }

    /// <summary>A pipeline of one call of Copy-BtrfsItem.</summary>
    public static System.Management.Automation.PowerShell Copy(Runspace runspace, string source, string destination)
    {
        var shell = System.Management.Automation.PowerShell.Create();
        shell.Runspace = runspace;
        return shell.AddCommand("Copy-BtrfsItem").AddParameter("LiteralPath", source).AddParameter("Destination", destination);
    }
}
