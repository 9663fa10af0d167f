using System.Security.Cryptography;
using System.Text.Json;
using BtrfsClone.Tests.Merging;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary><c>btrfs-clone duplicates</c> as a process.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class DuplicatesTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    [RootFact(Needs = "sync")]
    public void Writes_the_groups_with_all_their_places_the_largest_gain_first()
    {
        MakeTree();

        ShellResult result = Support.Program.Run("duplicates", _folder);

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        string[][] lines =
        [
            .. result.Output.TrimEnd('\n').Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)),
        ];
        Assert.Equal(["RECLAIMABLE", "LENGTH", "COUNT", "KIND", "OFFSET", "PATH"], lines[0]);
        Assert.Equal(["20480", "20000", "2", "File", "0", At("a")], lines[1]);
        Assert.Equal(["0", At("b")], lines[2]);
        Assert.Equal(["0", "8192", "2", "Range"], lines[3][..4]);
        Assert.Equal([$"0 {At("c")}", $"4096 {At("d")}"], lines[3..].Select(line => string.Join(' ', line[^2..])).Order());
    }

    [RootFact(Needs = "sync")]
    public void Writes_each_group_as_a_line_of_JSON()
    {
        MakeTree();

        ShellResult result = Support.Program.Run("duplicates", "--json", "--file-only", _folder);

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        using JsonDocument document = JsonDocument.Parse(Assert.Single(result.Output.TrimEnd('\n').Split('\n')));
        JsonElement group = document.RootElement;
        Assert.Equal(20000, group.GetProperty("Length").GetInt64());
        Assert.Equal(2, group.GetProperty("Count").GetInt32());
        Assert.Equal(20480, group.GetProperty("ReclaimableLength").GetInt64());
        Assert.Equal("File", group.GetProperty("Kind").GetString());
        Assert.Equal(
            [(At("a"), 0L), (At("b"), 0L)],
            group.GetProperty("Places").EnumerateArray().Select(
                place => (place.GetProperty("Path").GetString()!, place.GetProperty("Offset").GetInt64())));
    }

    [RootFact(Needs = "sync filefrag")]
    public void Merges_what_it_finds()
    {
        MakeTree();
        byte[] content = File.ReadAllBytes(At("b"));

        ShellResult result = Support.Program.Run("duplicates", "--merge", _folder);

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.EndsWith("28192 bytes merged, 0 bytes different.\n", result.Output, StringComparison.Ordinal);
        Assert.Equal(BlockMap.Of(At("a")), BlockMap.Of(At("b")));
        Assert.Equal(content, File.ReadAllBytes(At("b")));
        Assert.Equal("", Support.Program.Run("duplicates", _folder).Output);
    }

    [RootFact(Needs = "sync setpriv chmod")]
    public void An_ordinary_user_finds_the_same_by_content_and_is_told_what_cannot_be_read()
    {
        MakeTree();
        string all = Support.Program.Run("duplicates", _folder).Output;
        File.WriteAllBytes(At("locked"), File.ReadAllBytes(At("a")));
        Shell.Check("chmod", "700", At("locked"));
        string[] user = ["--reuid=65534", "--regid=65534", "--clear-groups", Support.Program.File, "duplicates"];

        ShellResult result = Shell.Run("setpriv", [.. user, _folder]);

        Assert.Equal((1, all), (result.ExitCode, result.Output));
        string error = Assert.Single(result.Error.TrimEnd('\n').Split('\n'));
        Assert.StartsWith($"btrfs-clone: {At("locked")}: permission denied", error, StringComparison.Ordinal);
        result = Shell.Run("setpriv", [.. user, "--source", "checksum", _folder]);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("CAP_SYS_ADMIN", result.Error, StringComparison.Ordinal);
    }

    [RootFact(Needs = "sync setpriv chmod")]
    public void Of_whole_files_by_content_none_is_opened_that_has_a_size_of_its_own()
    {
        MakeTree();
        File.WriteAllBytes(At("locked"), RandomNumberGenerator.GetBytes(12_345));
        Shell.Check("chmod", "700", At("locked"));
        string[] user = ["--reuid=65534", "--regid=65534", "--clear-groups", Support.Program.File, "duplicates", "--file-only"];

        ShellResult result = Shell.Run("setpriv", [.. user, _folder]);

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Equal(Support.Program.Run("duplicates", "--file-only", _folder).Output, result.Output);
    }

    [RootFact(Needs = "sync")]
    public void Goes_on_after_a_path_that_is_not_there()
    {
        MakeTree();

        ShellResult result = Support.Program.Run(
            "duplicates", "--minimum-length", "10000", At("missing"), At("a"), At("b"), At("c"), At("d"));

        Assert.Equal(1, result.ExitCode);
        Assert.Equal(3, result.Output.TrimEnd('\n').Split('\n').Length);
        Assert.StartsWith($"btrfs-clone: {At("missing")}: no such file", result.Error, StringComparison.Ordinal);
        Assert.Equal(2, Support.Program.Run("duplicates", "--minimum-length", "0", _folder).ExitCode);
    }

    private string At(string name) => Path.Combine(_folder, name);

    private void MakeTree()
    {
        byte[] whole = RandomNumberGenerator.GetBytes(20_000);
        byte[] part = RandomNumberGenerator.GetBytes(8192);
        File.WriteAllBytes(At("a"), whole);
        File.WriteAllBytes(At("b"), whole);
        File.WriteAllBytes(At("c"), [.. part, .. RandomNumberGenerator.GetBytes(4096)]);
        File.WriteAllBytes(At("d"), [.. RandomNumberGenerator.GetBytes(4096), .. part]);
        Shell.Check("sync", "--file-system", _folder);
    }
}
