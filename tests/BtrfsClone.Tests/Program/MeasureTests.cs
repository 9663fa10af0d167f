using System.Text.Json;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary><c>btrfs-clone measure</c> as a process.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class MeasureTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    [RootFact(Needs = "cp sync")]
    public void Writes_a_line_for_each_path_and_each_compression()
    {
        MakeTree();

        ShellResult result = Support.Program.Run("measure", "--by-compression", PathOf("tree"), PathOf("tree/big"));

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        string[][] lines = Fields(result.Output);
        Assert.Equal(["LENGTH", "INLINE", "EXCLUSIVE", "SET", "SHARED", "ON", "DISK", "RATIO", "EXTENTS", "PATH"], lines[0]);
        Assert.Equal(["16384", "10", "0", "8192", "8202", "1.00", "1", PathOf("tree")], lines[1]);
        Assert.Equal(["16394", "8202", "1.00", "1", "None"], lines[2]);
        Assert.Equal(["8192", "0", "0", "8192", "8192", "1.00", "1", PathOf("tree/big")], lines[3]);
        Assert.Equal(["8192", "8192", "1.00", "1", "None"], lines[4]);
        Assert.Equal(5, lines.Length);
    }

    [RootFact(Needs = "cp sync setpriv chmod")]
    public void Tells_an_ordinary_user_what_FIEMAP_tells_and_what_cannot_be_read()
    {
        MakeTree();
        Directory.CreateDirectory(PathOf("tree/locked"));
        Shell.Check("chmod", "700", PathOf("tree/locked"), PathOf("tree/clone"));

        ShellResult result = Shell.Run(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Support.Program.File, "measure", PathOf("tree"));

        Assert.Equal(1, result.ExitCode);
        Assert.Equal(["8192", "-", "0", "8192", "-", "-", "-", PathOf("tree")], Fields(result.Output)[1]);
        string[] failures = result.Error.TrimEnd('\n').Split('\n');
        Assert.Equal(2, failures.Length);
        Assert.Contains(failures, line => line.StartsWith($"btrfs-clone: {PathOf("tree/locked")}: permission", StringComparison.Ordinal));
        Assert.Contains(failures, line => line.StartsWith($"btrfs-clone: {PathOf("tree/clone")}: permission", StringComparison.Ordinal));
    }

    [RootFact(Needs = "cp sync")]
    public void Writes_all_that_is_known_as_JSON()
    {
        MakeTree();

        ShellResult result = Support.Program.Run("measure", "--json", PathOf("tree"));

        using JsonDocument document = JsonDocument.Parse(result.Output);
        JsonElement root = document.RootElement;
        Assert.Equal(PathOf("tree"), root.GetProperty("Path").GetString());
        Assert.Equal(3, root.GetProperty("Files").GetInt64());
        Assert.Equal(16384, root.GetProperty("SharedLength").GetInt64());
        Assert.Equal(10, root.GetProperty("InlineLength").GetInt64());
        Assert.Equal(1, root.GetProperty("CompressionRatio").GetDouble());
        JsonElement type = Assert.Single(root.GetProperty("ByCompression").EnumerateArray());
        Assert.Equal("None", type.GetProperty("Type").GetString());
        Assert.Equal(1, type.GetProperty("ExtentCount").GetInt64());
    }

    [RootFact(Needs = "cp sync")]
    public void Tells_what_deleting_would_give_back()
    {
        MakeTree();

        ShellResult result = Support.Program.Run(
            "measure", "--reclaimable", "--detailed", PathOf("tree/big"), PathOf("tree/clone"));

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        string[][] lines = Fields(result.Output);
        Assert.Equal("RECLAIMABLE", lines[0][^2]);
        Assert.Equal(["0", PathOf("tree/big")], lines[1][^2..]);
        Assert.Equal(["8192", "with", PathOf("tree/clone")], lines[2]);
        Assert.Equal(["0", PathOf("tree/clone")], lines[3][^2..]);
        Assert.Equal(["8192", "with", PathOf("tree/big")], lines[4]);
        Assert.Equal(["8192", "all", "of", "them", "together"], lines[5]);
        Assert.Equal(6, lines.Length);

        result = Support.Program.Run("measure", "--reclaimable", "--json", PathOf("tree"));
        using JsonDocument document = JsonDocument.Parse(result.Output);
        Assert.Equal(8192, document.RootElement.GetProperty("ReclaimableLength").GetInt64());
        Assert.Equal(8192, document.RootElement.GetProperty("SetReclaimableLength").GetInt64());

        Assert.Equal(2, Support.Program.Run("measure", "--detailed", PathOf("tree")).ExitCode);
        result = Shell.Run(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Support.Program.File, "measure", "--reclaimable", _folder);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("needs CAP_SYS_ADMIN: run as root", result.Error, StringComparison.Ordinal);
    }

    [BtrfsFact]
    public void Reports_what_is_missing_and_measures_the_rest()
    {
        File.WriteAllText(PathOf("file"), "");

        ShellResult result = Support.Program.Run("measure", PathOf("missing"), PathOf("file"));

        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith($"btrfs-clone: {PathOf("missing")}: no such file", result.Error, StringComparison.Ordinal);
        Assert.Equal(PathOf("file"), Fields(result.Output)[1][^1]);
    }

    private static string[][] Fields(string output) =>
        [.. output.TrimEnd('\n').Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))];

    /// <summary>A file of two blocks and its clone, and an inline one.</summary>
    private void MakeTree()
    {
        Directory.CreateDirectory(PathOf("tree"));
        File.WriteAllBytes(PathOf("tree/big"), new byte[8192]);
        File.WriteAllBytes(PathOf("tree/small"), new byte[10]);
        Shell.Check("sync", "--file-system", _folder);
        Shell.Check("cp", "--reflink=always", PathOf("tree/big"), PathOf("tree/clone"));
        Shell.Check("sync", "--file-system", _folder);
    }

    private string PathOf(string name) => Path.Combine(_folder, name);
}
