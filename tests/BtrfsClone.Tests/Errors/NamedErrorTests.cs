using System.Diagnostics;
using BtrfsClone.Cloning;
using BtrfsClone.Tests.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Errors;

/// <summary>Failures that the kernel makes here and now, and what the program says of them.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class NamedErrorTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    [BtrfsFact]
    public void A_name_that_is_too_long()
    {
        string file = NewFile("file");
        string name = At(new string('x', 256));

        foreach (string[] words in new string[][]
        {
            ["copy", name, At("new")], ["copy", file, name], ["copy", "--atomic", file, name], ["range", file, name],
            ["range", name, At("new")], ["extents", name], ["owners", name], ["measure", name], ["send", name],
            ["optimize", name],
            ["compare", file, name], ["merge", file, name],
            ["wait", name],
        })
        {
            AssertSaid(words, name, "the name is longer than the filesystem or the kernel takes", "Use a shorter name");
        }

        Assert.Equal(new[] { file }, Directory.GetFileSystemEntries(_folder));
    }

    [BtrfsFact]
    public void A_circle_of_links_in_a_path_that_was_given()
    {
        string file = NewFile("file");
        File.CreateSymbolicLink(At("circle"), "circle");
        string path = At("circle/x");

        foreach (string[] words in new string[][]
        {
            ["copy", path, At("new")], ["copy", file, path + "/y"], ["range", file, path], ["range", path, At("new")],
            ["extents", path], ["owners", path], ["measure", path], ["send", path], ["compare", file, path],
            ["merge", file, path], ["wait", path], ["optimize", path],
        })
        {
            AssertSaid(words, "circle", "the path leads through too many symbolic links", "without a circle");
        }
    }

    [BtrfsFact]
    public void A_path_that_leads_through_a_file()
    {
        string file = NewFile("file");
        string path = At("file/x");

        foreach (string[] words in new string[][]
        {
            ["copy", path, At("new")], ["copy", file, path + "/y"], ["range", file, path], ["range", path, At("new")],
            ["extents", path], ["owners", path], ["measure", path], ["send", path], ["compare", file, path],
            ["merge", file, path], ["wait", path], ["optimize", path],
        })
        {
            AssertSaid(words, "file", "a part of the path is not a directory", "directories only");
        }
    }

    [BtrfsFact]
    public void Something_of_another_type_in_the_way()
    {
        string file = NewFile("file");
        Directory.CreateDirectory(At("folder/file"));
        Directory.CreateDirectory(At("other"));
        NewFile("folder/other");

        foreach (string[] words in new string[][] { ["copy", file, At("folder")], ["copy", At("other"), At("folder")] })
        {
            AssertSaid(words, "folder/", "something of another type is in the way", "Remove it, or name another destination.");
        }

        AssertSaid(["copy", "--no-clobber", file, NewFile("old")], "old", "the destination exists", "Leave out --no-clobber");
        Shell.Check("chmod", "a-w", At("old"));
        AssertSaid(["copy", file, At("old")], "old", "the destination exists and has no write permission", "Use --force to replace it.");
    }

    [BtrfsFact(Needs = "cp")]
    public void A_program_that_runs()
    {
        Shell.Check("cp", "/bin/sleep", At("sleep"));
        using Process program = Shell.Start(At("sleep"), "60");
        try
        {
            Assert.True(SpinWait.SpinUntil(
                () => File.ResolveLinkTarget($"/proc/{program.Id}/exe", false)?.FullName == At("sleep"), TimeSpan.FromMinutes(1)));
            AssertSaid(["range", NewFile("file"), At("sleep")], "sleep", "a program runs from it", "End the program first.");
        }
        finally
        {
            program.Kill();
            program.WaitForExit();
        }
    }

    [RootFact(Needs = SwapFile.Tools + " btrfs")]
    public void A_swap_file_at_either_side()
    {
        const string What = "it is an active swap file";
        Shell.Check("btrfs", "subvolume", "create", At("subvolume"));
        using SwapFile swap = new(At("subvolume/swap"));
        string file = NewFile("file");
        Shell.Check("chattr", "+C", NewFile("empty", []));

        AssertSaid(["copy", swap.Path, At("new")], "swap", What, "swapoff");
        AssertSaid(["copy", file, swap.Path], "swap", What, "swapoff");
        AssertSaid(["range", swap.Path, At("empty")], "swap", What, "swapoff");
        AssertSaid(
            ["copy", "--snapshot", At("subvolume"), At("snapshot")], "subvolume", "the subvolume holds an active swap file", "swapoff");
        Directory.CreateDirectory(At("tree"));
        NewFile("tree/swap");
        AssertSaid(["copy", At("tree/swap"), At("subvolume")], "swap", What, "swapoff");
        AssertSaid(["copy", "--atomic", At("tree/swap"), At("subvolume")], "swap", What, "swapoff");

        Assert.Equal(new[] { swap.Path }, Directory.GetFileSystemEntries(At("subvolume")));
    }

    [RootFact(Needs = "python3 unshare chown umount")]
    public void An_owner_that_an_idmapped_mount_does_not_know()
    {
        string file = NewFile("file");
        Shell.Check("chown", "5000:5000", file);
        Directory.CreateDirectory(At("real"));
        Directory.CreateDirectory(At("mapped"));
        Shell.Check(
            "python3", Path.Combine(Support.Program.RepositoryRoot, "tests/BtrfsClone.Tests/Support/mount-idmapped.py"),
            At("real"), At("mapped"));
        try
        {
            AssertSaid(["copy", file, At("mapped/new")], "mapped/new", "the owner has no number", "map the owner");
            Assert.Empty(Directory.GetFileSystemEntries(At("real")));
        }
        finally
        {
            Shell.Check("umount", At("mapped"));
        }
    }

    [RootFact]
    public void No_space_and_no_quota_are_the_destinations()
    {
        using ScratchImage image = new(128L << 20, "noatime", "mkfs.btrfs", "--quiet", "--mixed");
        string source = Path.Combine(image.Root, "source");
        string subvolume = Path.Combine(image.Root, "subvolume");
        File.WriteAllBytes(source, new byte[1 << 20]);
        Shell.Check("btrfs", "quota", "enable", image.Root);
        Shell.Check("btrfs", "subvolume", "create", subvolume);
        Shell.Check("btrfs", "filesystem", "sync", image.Root);
        Shell.Check("btrfs", "qgroup", "limit", "1", subvolume);

        AssertSaid(
            ["copy", source, Path.Combine(subvolume, "new")], "subvolume/new", "a quota limit is reached", "raise the limit");
        AssertSaid(
            ["range", source, Path.Combine(subvolume, "new")], "subvolume/new", "a quota limit is reached", "raise the limit");
    }

    private static void AssertSaid(string[] words, string path, string what, string advice)
    {
        ShellResult result = Support.Program.Run(words);
        string line = result.Error.Split('\n')[0];
        Assert.True(
            result.ExitCode == 1 && line.Contains($"{path}", StringComparison.Ordinal) &&
            line.Split(": ")[1].Contains(path, StringComparison.Ordinal) &&
            line.Contains($": {what}", StringComparison.Ordinal) && line.Contains(advice, StringComparison.Ordinal),
            $"{string.Join(' ', words)}: {result.ExitCode}: {result.Error}");
    }

    private string NewFile(string path, byte[]? content = null)
    {
        File.WriteAllBytes(At(path), content ?? [1, 2, 3]);
        return At(path);
    }

    private string At(string path) => Path.Combine(_folder, path);
}
