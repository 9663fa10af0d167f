namespace BtrfsClone.Tests.Support;

/// <summary>Witness of what is delayed or in flight: a script that shares nothing with the engine.</summary>
internal static class BusyFiles
{
    public const string Tools = "python3";

    private static readonly string s_script =
        Path.Combine(Program.RepositoryRoot, "tests/BtrfsClone.Tests/Support/busy-files.py");

    /// <summary>Those of the files, and of those below the directories, that have data waiting to be written.</summary>
    public static string[] Among(params string[] paths)
    {
        string[] lines = Shell.Check("python3", [s_script, .. paths]).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEqual("0", lines[^1]);
        return lines[..^1];
    }
}
