using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Faults;

/// <summary>
/// What cannot be undone after a failure: it stays, a line says where, and the exit code is 1. All else is undone.
/// </summary>
[Collection(ScratchBtrfs.Name)]
public sealed class UndoTests(ScratchBtrfs btrfs)
{
    private const string Needs = Injection.Tools;

    private readonly string _folder = btrfs.NewFolder();

    [BtrfsTheory(Needs = Needs)]
    [InlineData("getdents64", "EIO")]
    [InlineData("getdents64", "ENOMEM")]
    [InlineData("lseek", "EIO")]
    public void Whatever_listing_fails_all_names_appear_or_none(string call, string error)
    {
        // Several times what is listed at once.
        string[] sources = NewFiles(300, length: 250);
        Directory.CreateDirectory(At("into"));
        string[] names = [.. sources.Select(s => Path.GetFileName(s))];
        int failed = 0;

        Injection.RunAtEach(
            call, error,
            () =>
            {
                Shell.Check("find", At("into"), "-mindepth", "1", "-delete");
                return ["copy", "--atomic", .. sources, At("into")];
            },
            (place, result) =>
            {
                Assert.True(
                    Names("into").SequenceEqual(result.ExitCode == 0 ? names : []),
                    $"{call} {place}: exit code {result.ExitCode}, {Names("into").Length} names: {result.Error}");
                Assert.Equal(result.ExitCode == 0, result.Error.Length == 0);
                failed += result.ExitCode;
            });
        Assert.True(failed > 0);
    }

    [BtrfsFact(Needs = Needs)]
    public void Names_that_have_appeared_and_cannot_be_taken_back_are_told()
    {
        string[] sources = NewFiles(8);
        Directory.CreateDirectory(At("into"));
        File.WriteAllText(At("into/f0"), "old");

        ShellResult result = Injection.Run("renameat2:error=EIO:when=6+", out _, ["copy", "--atomic", .. sources, At("into")]);

        // f0 took a call to see that there is an old file, and another to change places with it.
        Assert.Equal(1, result.ExitCode);
        string[] stay = ["f0", "f1", "f2", "f3"];
        Assert.Equal(stay, Names("into").Where(n => n[0] == 'f'));
        string[] lines = Lines(result);
        Assert.All(stay, name => Assert.Single(
            lines, line => line.StartsWith($"btrfs-clone: {At("into")}/{name}: ", StringComparison.Ordinal) &&
                line.Contains("renameat2: Input/output error", StringComparison.Ordinal)));
        // The old file is where the line about it says.
        string hidden = Assert.Single(Names("into"), n => n[0] == '.');
        Assert.Equal("old", File.ReadAllText(At($"into/{hidden}/f0")));
        Assert.Single(lines, line => line.StartsWith($"btrfs-clone: {At("into")}/{hidden}/f0: ", StringComparison.Ordinal));

        // Nor does a later run take it for a leftover.
        Assert.Equal(0, Program.Run("copy", "--atomic", sources[7], At("into")).ExitCode);
        Assert.Equal("old", File.ReadAllText(At($"into/{hidden}/f0")));
    }

    [BtrfsTheory(Needs = Needs)]
    [InlineData("EIO")]
    [InlineData("ENOSPC")]
    public void Wherever_one_rename_fails_all_names_appear_or_none(string error)
    {
        string[] sources = NewFiles(5);
        Directory.CreateDirectory(At("into"));
        int failed = 0;
        Injection.RunAtEach(
            "renameat2", error,
            () =>
            {
                Shell.Check("find", At("into"), "-mindepth", "1", "-delete");
                File.WriteAllText(At("into/f2"), "old");
                return ["copy", "--atomic", .. sources, At("into")];
            },
            (place, result) =>
            {
                failed++;
                Assert.Equal((1, 1), (result.ExitCode, Lines(result).Length));
                Assert.Equal(["f2"], Names("into"));
                Assert.Equal("old", File.ReadAllText(At("into/f2")));
            });
        Assert.Equal(6, failed);
    }

    [BtrfsFact(Needs = Needs)]
    public void What_is_removed_is_not_renamed_before()
    {
        NewTree();

        ShellResult result = Injection.Run("renameat2,renameat:error=ENOSPC", out _, FailingCopy());

        Assert.Equal((1, 2), (result.ExitCode, Lines(result).Length));
        Assert.Equal(["source"], Names("."));
    }

    [BtrfsTheory(Needs = Needs)]
    [InlineData("unlinkat", 1)]
    [InlineData("unlinkat", 2)]
    [InlineData("unlinkat", 5)]
    [InlineData("getdents64", 1)]
    public void A_folder_that_cannot_be_removed_is_told(string call, int distance)
    {
        NewTree();
        int stayed = 0;
        int injected = 1;
        for (int place = 1; injected > 0; place += distance)
        {
            ShellResult result = Injection.Run($"{call}:error=EIO:when={place}+", out injected, FailingCopy());
            if (result.ExitCode > 1 && Program.IsManaged)
            {
                continue; // It was the runtime's call.
            }

            Assert.Equal(1, result.ExitCode);
            string[] hidden = [.. Names(".").Where(n => n != "source")];
            foreach (string name in hidden)
            {
                Assert.Contains(Lines(result), line => line.StartsWith($"btrfs-clone: {At(name)}: ", StringComparison.Ordinal) &&
                    line.Contains($"stays: {call}: Input/output error", StringComparison.Ordinal));
                stayed++;
            }

            // And goes with the next run.
            Assert.Equal(1, Program.Run(FailingCopy()).ExitCode);
            Assert.Equal(["source"], Names("."));
        }

        Assert.True(stayed > 0);
    }

    /// <summary>An atomic clone of a tree, of which nothing appears since another item is missing.</summary>
    private string[] FailingCopy() => ["copy", "--atomic", At("source"), At("missing"), At("clone")];

    [BtrfsTheory(Needs = Needs)]
    [InlineData("ioctl", "echo new > file", false)]
    [InlineData("ioctl", "echo new > file", true)]
    [InlineData("utimensat", "ln -s target file", false)]
    [InlineData("utimensat", "ln -s target file", true)]
    [InlineData("utimensat", "mkfifo file", false)]
    public void What_an_entry_that_fails_leaves_is_told(string call, string make, bool isReplacement)
    {
        Directory.CreateDirectory(At("source"));
        Shell.Check("sh", "-c", $"cd \"$1\" && {make}", "sh", At("source"));
        int stayed = 0;
        Injection.RunAtEach(
            call, "EIO",
            () =>
            {
                Shell.Check("rm", "-rf", At("clone"));
                Directory.CreateDirectory(At("clone"));
                if (isReplacement)
                {
                    File.WriteAllText(At("clone/file"), "old");
                }

                return ["copy", At("source/file"), At("clone")];
            },
            (place, result) =>
            {
                string[] stay = [.. Names("clone").Where(n => isReplacement ? n != "file" : result.ExitCode != 0)];
                Assert.All(stay, name => Assert.Contains(Lines(result), line => line.StartsWith(
                    $"btrfs-clone: {At("clone")}/{name}: it could not be removed again and stays: unlinkat: ",
                    StringComparison.Ordinal)));
                stayed += stay.Length;
                Assert.True(!isReplacement || result.ExitCode == 0 || File.ReadAllText(At("clone/file")) == "old");
            },
            always: "unlinkat:error=EROFS");
        Assert.True(stayed > 0);
    }

    [BtrfsFact(Needs = Needs)]
    public void A_directory_that_is_made_and_cannot_be_opened_is_removed()
    {
        Directory.CreateDirectory(At("source/directory"));
        int failed = 0;
        Injection.RunAtEach(
            "openat", "ENOMEM",
            () =>
            {
                Shell.Check("rm", "-rf", At("clone"));
                return ["copy", At("source"), At("clone")];
            },
            (place, result) =>
            {
                failed++;
                Assert.Equal((1, 1), (result.ExitCode, Lines(result).Length));
                Assert.Empty(Names("clone"));
            },
            path: "directory");
        Assert.Equal(2, failed);
    }

    private string[] NewFiles(int count, int length = 0)
    {
        Directory.CreateDirectory(At("source"));
        string[] paths = [.. Enumerable.Range(0, count).Select(i => At($"source/f{$"{i}".PadLeft(length, '0')}"))];
        foreach (string path in paths)
        {
            File.WriteAllText(path, "new");
        }

        return paths;
    }

    private void NewTree()
    {
        for (int i = 0; i < 4; i++)
        {
            Directory.CreateDirectory(At($"source/{i}/deeper/still"));
            File.WriteAllText(At($"source/{i}/deeper/still/file"), "new");
            File.WriteAllText(At($"source/{i}/file"), "new");
        }
    }

    private static string[] Lines(ShellResult result) => result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private string[] Names(string folder) => [.. Directory.EnumerateFileSystemEntries(At(folder))
        .Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)];

    private string At(string name) => Path.Combine(_folder, name);
}
