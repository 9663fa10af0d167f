namespace BtrfsClone.Tests.Support;

/// <summary>The program on a kernel that refuses some calls: with a C library (<c>refusing-libc.c</c>) that does.</summary>
internal sealed class RefusingProgram
{
    /// <summary>The commands that it needs.</summary>
    public const string Tools = "cc";

    private readonly string _file;

    /// <param name="folder">A folder that does not exist yet: the program is put there with its library.</param>
    public RefusingProgram(string folder)
    {
        Shell.Check("cp", "-rL", Path.GetDirectoryName(Program.File)!, folder);
        Shell.Check(
            "cc", "-shared", "-fPIC", "-O1", "-o", Path.Combine(folder, "libc.so"),
            Path.Combine(Program.RepositoryRoot, "tests/BtrfsClone.Tests/Support/refusing-libc.c"));
        _file = Path.Combine(folder, "btrfs-clone");
    }

    /// <summary>Runs it.</summary>
    /// <param name="refused">The calls, as <c>refusing-libc.c</c> names them, separated by commas.</param>
    /// <param name="arguments">The program's arguments.</param>
    public ShellResult Run(string refused, params string[] arguments) =>
        Shell.Run("env", [$"REFUSE={refused}", "DOTNET_EnableDiagnostics=0", _file, .. arguments]);
}
