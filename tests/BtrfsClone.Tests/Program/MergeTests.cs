using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary><c>btrfs-clone merge</c> as a process: what it says and how it ends.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class MergeTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    [BtrfsFact]
    public void Says_what_was_merged_and_with_verbose_in_each_file()
    {
        MakeTrees();

        ShellResult said = Support.Program.Run("merge", "--verbose", At("reference"), At("path"));

        Assert.Equal((0, ""), (said.ExitCode, said.Error));
        Assert.Equal(
            [
                $"{At(@"path/b\x0ab")}: 20480 bytes merged, 0 shared already, 0 inline, 0 different",
                $"{At("path/d")}: 12288 bytes merged, 0 shared already, 0 inline, 4096 different",
                $"{At("path/only")}: only in PATH",
                $"{At("reference/absent")}: only in REFERENCE",
                "2 files: 32768 bytes merged, 0 shared already, 0 inline, 4096 different",
            ],
            Lines(said));
        Assert.Equal(
            ["2 files: 0 bytes merged, 32768 shared already, 0 inline, 4096 different"],
            Lines(Support.Program.Run("merge", At("reference"), At("path"))));
    }

    [BtrfsFact(Needs = "filefrag")]
    public void A_dry_run_says_what_it_would_free_and_shares_nothing()
    {
        MakeTrees();

        ShellResult said = Support.Program.Run("merge", "--dry-run", At("reference"), At("path"));

        Assert.Equal((0, ""), (said.ExitCode, said.Error));
        Assert.Equal(
            ["2 files: 32768 bytes would be merged, 0 shared already, 0 inline, 4096 different; it would free up to 32768 bytes"],
            Lines(said));
        Assert.DoesNotContain("shared", Shell.Check("filefrag", "-v", At("path/d")), StringComparison.Ordinal);
    }

    [BtrfsFact]
    public void A_failure_is_a_line_on_standard_error()
    {
        ShellResult said = Support.Program.Run("merge", At("missing"), _folder);

        Assert.Equal((1, ""), (said.ExitCode, said.Output));
        Assert.StartsWith($"btrfs-clone: {At("missing")}: ", Assert.Single(said.Error.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }

    private void MakeTrees()
    {
        byte[] content = new byte[5 * 4096];
        new Random(66).NextBytes(content);
        foreach (string tree in new[] { "reference", "path" })
        {
            Directory.CreateDirectory(At(tree));
            File.WriteAllBytes(At(tree + "/b\nb"), content);
            File.WriteAllBytes(At(tree + "/d"), [.. content[..16383], (byte)tree.Length]);
        }

        File.WriteAllBytes(At("path/only"), content);
        File.WriteAllBytes(At("reference/absent"), content);
    }

    private static string[] Lines(ShellResult said) =>
        [.. said.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];

    private string At(string path) => Path.Combine(_folder, path);
}
