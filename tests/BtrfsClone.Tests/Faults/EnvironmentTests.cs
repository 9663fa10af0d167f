using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Faults;

/// <summary>Processes that may do less than usual: few descriptors, small files, no working directory, any umask.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class EnvironmentTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    [BtrfsTheory(Needs = "prlimit")]
    [InlineData("--jobs=16")]
    [InlineData("--atomic")]
    public void Too_few_descriptors_and_nothing_is_begun(string option)
    {
        // Of a managed program's, the runtime has most.
        string few = Program.IsManaged ? "--nofile=64" : "--nofile=32";
        Directory.CreateDirectory(At("source"));

        ShellResult result = Shell.Run("prlimit", few, Program.File, "copy", option, At("source"), At("clone"));

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Matches(
            @"\Abtrfs-clone: [^\n]+/source: the process may not open as many files as it needs: [^\n]*ulimit -n[^\n]*\n\z",
            result.Error);
        Assert.Equal("source\n", Shell.Check("ls", "-A", _folder));
    }

    [BtrfsTheory(Needs = RandomTree.Tools + " " + TreeFacts.Tools + " prlimit")]
    [InlineData("--jobs=16")]
    [InlineData("--atomic")]
    public void Few_descriptors_are_enough(string option)
    {
        RandomTree.Make(At("source"), 11, new TreeShape { Files = 100, WideEntries = 500, Depth = 100 });

        ShellResult result = Shell.Run("prlimit", "--nofile=100", Program.File, "copy", option, At("source"), At("clone"));

        Assert.Equal(new ShellResult(0, "", ""), result);
        TreeFacts.Of(At("source")).AssertEqual(TreeFacts.Of(At("clone")), TreeFacts.Unstable(btrfs));
    }

    [BtrfsTheory(Needs = Fingerprint.Tools + " prlimit")]
    [InlineData("--reflink=always")]
    [InlineData("--reflink=auto")]
    public void Files_beyond_the_size_limit(string option)
    {
        Directory.CreateDirectory(At("source"));
        File.WriteAllBytes(At("source/small"), new byte[1000]);
        File.WriteAllBytes(At("source/large"), new byte[3 << 20]);
        string elsewhere = Directory.CreateTempSubdirectory("btrfs-clone-tests-").FullName;
        try
        {
            string clone = option.EndsWith("auto", StringComparison.Ordinal) ? Path.Combine(elsewhere, "clone") : At("clone");

            ShellResult result = RunWithSmallFiles("copy", option, At("source"), clone);

            Assert.Equal((1, ""), (result.ExitCode, result.Output));
            Assert.Contains($"{clone}/large: the file is larger than", result.Error, StringComparison.Ordinal);
            Assert.Equal("small\n", Shell.Check("ls", "-A", clone));
            Shell.Check("cmp", At("source/small"), Path.Combine(clone, "small"));
        }
        finally
        {
            Directory.Delete(elsewhere, recursive: true);
        }
    }

    [BtrfsTheory(Needs = "prlimit stat cp")]
    [InlineData("range SOURCE:0:64k NEW:2m")]
    [InlineData("range SOURCE:0:64k OLD:2m")]
    [InlineData("range SOURCE:0:64k NEW:1020k")]
    [InlineData("merge SOURCE OLD")]
    [InlineData("merge --dry-run SOURCE OLD")]
    public void A_range_or_a_merge_beyond_the_size_limit(string verb)
    {
        byte[] content = new byte[3 << 20];
        new Random(12).NextBytes(content);
        File.WriteAllBytes(At("source"), content);
        Shell.Check("cp", "--reflink=never", At("source"), At("old"));
        string before = Shell.Check("stat", "--format=%s %h %Y %z", At("old"));

        ShellResult result = RunWithSmallFiles(
            verb.Replace("SOURCE", At("source"), StringComparison.Ordinal).Replace("OLD", At("old"), StringComparison.Ordinal)
                .Replace("NEW", At("new"), StringComparison.Ordinal).Split(' '));

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains(": the file is larger than", result.Error, StringComparison.Ordinal);
        Assert.Equal([At("old"), At("source")], Directory.GetFiles(_folder).Order(StringComparer.Ordinal));
        Assert.Equal(content, File.ReadAllBytes(At("old")));
        Assert.Equal(before, Shell.Check("stat", "--format=%s %h %Y %z", At("old")));
    }

    [RootFact(Needs = "setpriv prlimit diff")]
    public void A_process_that_gets_no_more_threads_clones_with_those_that_it_has()
    {
        for (int i = 0; i < 30; i++)
        {
            Directory.CreateDirectory(At($"source/{i}"));
            File.WriteAllText(At($"source/{i}/file"), $"{i}");
        }

        Shell.Check("chmod", "777", _folder);
        int exitCode = -1;
        for (int threads = 5; threads < 40 && exitCode != 0; threads++)
        {
            // No other process has this user. With fewer than it needs itself the runtime ends.
            ShellResult result = Shell.Run(
                "setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "prlimit", $"--nproc={threads}", "--core=0",
                Program.File, "copy", "--jobs=8", At("source"), At("clone"));
            Assert.DoesNotContain("BtrfsClone.Walking", result.Error, StringComparison.Ordinal);
            exitCode = result.ExitCode;
        }

        Assert.Equal("", Shell.Check("diff", "--recursive", At("source"), At("clone")));
    }

    [BtrfsFact]
    public void A_working_directory_that_is_gone()
    {
        Directory.CreateDirectory(At("gone"));
        File.WriteAllText(At("source"), "content");
        const string Script = "cd \"$1/gone\" && rmdir \"$1/gone\" && shift && exec \"$@\"";
        ShellResult Run(params string[] arguments) =>
            Shell.Run("sh", ["-c", Script, "sh", _folder, Program.File, .. arguments]);

        ShellResult absolute = Run("copy", At("source"), At("clone"));
        Directory.CreateDirectory(At("gone"));
        ShellResult relative = Run("copy", "../source", "clone2");
        Directory.CreateDirectory(At("gone"));
        ShellResult wait = Run("wait", "../source");

        Assert.Equal(new ShellResult(0, "", ""), absolute);
        Assert.Equal("content", File.ReadAllText(At("clone")));
        Assert.Equal((1, 1), (relative.ExitCode, wait.ExitCode));
        Assert.Matches(@"\Abtrfs-clone: clone2: [^\n]+: getcwd: No such file or directory\. [^\n]+\n\z", relative.Error);
        Assert.Matches(@"\Abtrfs-clone: \.\./source: no such file or directory: getcwd\. [^\n]+\n\z", wait.Error);
        Assert.Equal("clone\nsource\n", Shell.Check("ls", "-A", _folder));
    }

    [BtrfsTheory(Needs = Fingerprint.Tools)]
    [InlineData("000", "")]
    [InlineData("000", "--atomic")]
    [InlineData("077", "")]
    [InlineData("077", "--atomic")]
    [InlineData("777", "--atomic")]
    public void Any_umask(string umask, string option)
    {
        foreach (string mode in (string[])["700", "755", "777", "4755", "2770", "1777", "444"])
        {
            Directory.CreateDirectory(At($"source/directory{mode}"));
            File.WriteAllText(At($"source/file{mode}"), mode);
            Shell.Check("mkfifo", At($"source/fifo{mode}"));
            Shell.Check("chmod", mode, At($"source/directory{mode}"), At($"source/file{mode}"), At($"source/fifo{mode}"));
        }

        ShellResult result = Shell.Run(
            "sh", "-c", $"umask {umask}; exec '{Program.File}' copy {option} '{At("source")}' '{At("clone")}'");

        Assert.Equal(new ShellResult(0, "", ""), result);
        Assert.Equal(Fingerprint.TextOf(At("source")), Fingerprint.TextOf(At("clone")));
    }

    [RootFact]
    public void An_append_only_destination_gets_nothing_that_could_not_be_removed_again()
    {
        Directory.CreateDirectory(At("log"));
        File.WriteAllText(At("log/old"), "old");
        File.WriteAllText(At("old"), "new");
        File.WriteAllText(At("new"), "new");
        Shell.Check("chattr", "+a", At("log"));
        try
        {
            ShellResult replaced = Program.Run("copy", At("old"), At("log"));
            ShellResult atomic = Program.Run("copy", "--atomic", At("new"), At("log"));
            ShellResult added = Program.Run("copy", At("new"), At("log"));

            Assert.Equal((1, 1, 0), (replaced.ExitCode, atomic.ExitCode, added.ExitCode));
            Assert.Contains("log/old: permission denied", replaced.Error, StringComparison.Ordinal);
            Assert.Contains("log: permission denied", atomic.Error, StringComparison.Ordinal);
            Assert.Equal("new\nold\n", Shell.Check("ls", "-A", At("log")));
            Assert.Equal("old", File.ReadAllText(At("log/old")));
        }
        finally
        {
            Shell.Check("chattr", "-a", At("log"));
        }
    }

    [RootTheory(Needs = Fingerprint.Tools + " setpriv")]
    [InlineData("--jobs=2")]
    [InlineData("--atomic")]
    public void What_an_ordinary_user_may_not_read(string option)
    {
        foreach (string name in (string[])["open/file", "open/closed", "listed only/file", "closed/file", "passable only/file"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(At($"source/{name}"))!);
            File.WriteAllText(At($"source/{name}"), name);
        }

        Shell.Check("chown", "-R", "65534:65534", At("source"));
        Shell.Check("chmod", "000", At("source/open/closed"), At("source/closed"));
        Shell.Check("chmod", "400", At("source/listed only"));
        Shell.Check("chmod", "100", At("source/passable only"));
        Shell.Check("chmod", "777", _folder);
        string before = Fingerprint.TextOf(At("source"));

        ShellResult result = Shell.Run(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Program.File, "copy", option, At("source"), At("clone"));

        Assert.Equal(1, result.ExitCode);
        string[] denied = [.. result.Error.Split('\n').Where(line => line.Contains(": permission denied: ", StringComparison.Ordinal))
            .Select(line => line.Split(": ")[1][(At("source").Length + 1)..]).Order(StringComparer.Ordinal)];
        Assert.Equal(["closed", "listed only/file", "open/closed", "passable only"], denied);
        Assert.Equal(before, Fingerprint.TextOf(At("source")));
        Assert.Equal(option == "--atomic" ? "source\n" : "clone\nsource\n", Shell.Check("ls", "-A", _folder));
        if (option != "--atomic")
        {
            Assert.Equal("file\n", Shell.Check("ls", "-A", At("clone/open")));
            Assert.Equal("listed only\nopen\n", Shell.Check("ls", "-A", At("clone")));
        }
    }

    [RootTheory]
    [InlineData("+i")]
    [InlineData("+a")]
    public void A_protected_file_at_the_destination_stays(string flag)
    {
        File.WriteAllText(At("new"), "new");
        File.WriteAllText(At("old"), "old");
        Shell.Check("chattr", flag, At("old"));
        try
        {
            foreach (string option in (string[])["--force", "--atomic"])
            {
                ShellResult result = Program.Run("copy", option, At("new"), At("old"));
                Assert.Equal(1, result.ExitCode);
                Assert.Contains("old: permission denied", result.Error, StringComparison.Ordinal);
                Assert.Equal("new\nold\n", Shell.Check("ls", "-A", _folder));
                Assert.Equal("old", File.ReadAllText(At("old")));
            }
        }
        finally
        {
            Shell.Check("chattr", "-i", "-a", At("old"));
        }
    }

    [RootTheory]
    [InlineData("+i")]
    [InlineData("+a")]
    public void A_protected_source_replaces_a_file_and_leaves_no_temporary_name(string flag)
    {
        foreach (string name in (string[])["one", "linked"])
        {
            Directory.CreateDirectory(At("source"));
            Directory.CreateDirectory(At("into/source"));
            File.WriteAllText(At($"source/{name}"), "new");
            File.WriteAllText(At($"into/source/{name}"), "old");
        }

        Shell.Check("ln", At("source/linked"), At("source/again"));
        File.WriteAllText(At("into/source/again"), "old");
        Shell.Check("chattr", flag, At("source/one"), At("source/linked"));
        string expected = Fingerprint.TextOf(At("source"));
        try
        {
            ShellResult first = Program.Run("copy", At("source"), At("into"));
            string cloned = Fingerprint.TextOf(At("into/source"));
            ShellResult second = Program.Run("copy", At("source"), At("into"));

            Assert.Equal(new ShellResult(0, "", ""), first);
            Assert.Equal(expected, cloned);
            Assert.Equal(1, second.ExitCode); // What is protected now stays.
            Assert.Equal(expected, Fingerprint.TextOf(At("into/source")));
            Assert.Equal(
                Lines(Shell.Check("lsattr", At("source")).Replace(_folder, _folder + "/into", StringComparison.Ordinal)),
                Lines(Shell.Check("lsattr", At("into/source"))));
        }
        finally
        {
            Shell.Check("chattr", "-R", "-i", "-a", _folder);
        }

        static IEnumerable<string> Lines(string text) => text.Split('\n').Order();
    }

    [RootFact]
    public void A_mount_in_the_destination()
    {
        Directory.CreateDirectory(At("source/mounted"));
        File.WriteAllText(At("source/mounted/a"), "a");
        File.WriteAllText(At("source/b"), "b");
        Directory.CreateDirectory(At("into/source/mounted"));
        Shell.Check("mount", "-t", "tmpfs", "tmpfs", At("into/source/mounted"));
        try
        {
            ShellResult result = Program.Run("copy", At("source"), At("into"));

            Assert.Equal(1, result.ExitCode);
            Assert.Contains("on different filesystems", Assert.Single(result.Error.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
            Assert.Equal("", Shell.Check("ls", "-A", At("into/source/mounted")));
            Assert.Equal("b", File.ReadAllText(At("into/source/b")));
        }
        finally
        {
            Shell.Check("umount", At("into/source/mounted"));
        }
    }

    private static ShellResult RunWithSmallFiles(params string[] arguments) => Shell.Run(
        // The runtime's own memory files are larger than that unless told otherwise.
        "env", ["DOTNET_EnableWriteXorExecute=0", "prlimit", $"--fsize={1 << 20}", Program.File, .. arguments]);

    private string At(string name) => Path.Combine(_folder, name);
}
