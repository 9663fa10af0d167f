using System.Diagnostics;

namespace BtrfsClone.Tests.Support;

/// <summary>The program as its users run it: <c>bin/btrfs-clone</c> of this checkout.</summary>
public static class Program
{
    /// <summary>The full path of the checkout, the folder that holds the solution.</summary>
    public static string RepositoryRoot { get; } = FindRepositoryRoot();

    /// <summary>The full path of the program.</summary>
    public static string File { get; } = Path.Combine(RepositoryRoot, "bin", "btrfs-clone");

    /// <summary>Whether it was built without a linker, and runs in the runtime.</summary>
    public static bool IsManaged => System.IO.File.Exists(File + ".dll");

    public static ShellResult Run(params string[] arguments) => Shell.Run(File, arguments);

    /// <summary>
    /// Starts it for a test that signals it: with SIGINT as a terminal's shell leaves it, which a shell's background job
    /// ignores, and without the pipes for debuggers, which a killed program leaves in the temporary folder.
    /// </summary>
    public static Process Start(params string[] arguments) =>
        Shell.Start("env", ["--default-signal=INT", "DOTNET_EnableDiagnostics=0", File, .. arguments]);

    private static string FindRepositoryRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(folder.FullName, "BtrfsClone.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds BtrfsClone.slnx.");
    }
}
