using System.Text.Json;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary><c>btrfs-clone compare</c> as a process.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class CompareTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    [BtrfsFact(Needs = "cp")]
    public void Answers_with_its_exit_code()
    {
        MakeTrees();

        ShellResult clone = Support.Program.Run("compare", PathOf("one/a"), PathOf("two/a"));
        ShellResult none = Support.Program.Run("compare", PathOf("one"), PathOf("two"));
        ShellResult failed = Support.Program.Run("compare", PathOf("one"), PathOf("missing"));

        Assert.Equal((0, ""), (clone.ExitCode, clone.Error));
        Assert.Equal(["LENGTH", "SHARED", "INLINE", "EXCLUSIVE", "RATIO", "CLONE", "PATH"], Fields(clone.Output)[0]);
        Assert.Equal(["8192", "8192", "0", "0", "1.0000", "yes", PathOf("two/a")], Fields(clone.Output)[1]);
        Assert.Equal((1, ""), (none.ExitCode, none.Error));
        Assert.Equal(["8203", "8192", "0", "11", "0.9986", "no", PathOf("two")], Fields(none.Output)[1]);
        Assert.Equal(["only in REFERENCE: gone", "only in PATH: new"], none.Output.TrimEnd('\n').Split('\n')[2..]);
        Assert.Equal((1, ""), (failed.ExitCode, failed.Output));
        Assert.StartsWith($"btrfs-clone: {PathOf("missing")}: no such file", failed.Error, StringComparison.Ordinal);
    }

    [BtrfsFact(Needs = "cp")]
    public void Writes_a_line_for_each_entry_if_asked_to()
    {
        MakeTrees();

        ShellResult result = Support.Program.Run("compare", "--detailed", PathOf("one/"), PathOf("two"));

        string[][] lines = [.. Fields(result.Output)[1..^1].OrderBy(line => line[^1], StringComparer.Ordinal)];
        Assert.Equal(["0", "0", "0", "0", "-", "no", PathOf("one/gone")], lines[0]);
        Assert.Equal(["8192", "8192", "0", "0", "1.0000", "yes", PathOf("two/a")], lines[1]);
        Assert.Equal(["11", "0", "0", "11", "0.0000", "no", PathOf("two/new")], lines[2]);
        Assert.Equal(PathOf("two"), Fields(result.Output)[^1][^1]);
    }

    [BtrfsFact(Needs = "cp")]
    public void Writes_JSON_if_asked_to()
    {
        MakeTrees();

        ShellResult result = Support.Program.Run("compare", "--json", PathOf("one"), PathOf("two"));

        using JsonDocument document = JsonDocument.Parse(result.Output);
        JsonElement root = document.RootElement;
        Assert.Equal(PathOf("one"), root.GetProperty("ReferencePath").GetString());
        Assert.Equal(8192, root.GetProperty("SharedLength").GetInt64());
        Assert.Equal(11, root.GetProperty("ExclusiveLength").GetInt64());
        Assert.False(root.GetProperty("IsClone").GetBoolean());
        Assert.Equal("gone", Assert.Single(root.GetProperty("OnlyInReference").EnumerateArray()).GetString());
        string output = Support.Program.Run("compare", "--json", "--detailed", PathOf("one"), PathOf("one")).Output;
        Assert.Equal(2, output.Split('\n').Length - 1 - 1);
    }

    private static string[][] Fields(string output) =>
        [.. output.TrimEnd('\n').Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))];

    private void MakeTrees()
    {
        Directory.CreateDirectory(PathOf("one"));
        File.WriteAllBytes(PathOf("one/a"), new byte[8192]);
        File.WriteAllText(PathOf("one/gone"), "gone");
        Directory.CreateDirectory(PathOf("two"));
        Shell.Check("cp", "--reflink=always", PathOf("one/a"), PathOf("two/a"));
        File.WriteAllText(PathOf("two/new"), "hello world");
    }

    private string PathOf(string name) => Path.Combine(_folder, name);
}
