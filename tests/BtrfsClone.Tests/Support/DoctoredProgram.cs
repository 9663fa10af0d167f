namespace BtrfsClone.Tests.Support;

/// <summary>Copies of the program that call a C library of a test's own.</summary>
internal static class DoctoredProgram
{
    /// <summary>The command that making one needs.</summary>
    public const string Tools = "cc";

    /// <summary>Copies the program into a new folder and puts a library beside it, where the runtime looks first.</summary>
    /// <param name="folder">The new folder.</param>
    /// <param name="source">The library's C file, relative to the folder of the tests.</param>
    /// <returns>The copy's path.</returns>
    public static string Make(string folder, string source)
    {
        Shell.Check("cp", "-rL", Path.GetDirectoryName(Program.File)!, folder);
        Shell.Check(
            "cc", "-shared", "-fPIC", "-O1", "-o", Path.Combine(folder, "libc.so"),
            Path.Combine(Program.RepositoryRoot, "tests/BtrfsClone.Tests", source));
        return Path.Combine(folder, "btrfs-clone");
    }
}
