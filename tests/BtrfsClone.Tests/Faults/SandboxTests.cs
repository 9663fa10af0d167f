using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Faults;

/// <summary>Places where the kernel, or who stands before it, does not answer everything: without proc, without ioctls.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class SandboxTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    [RootFact(Needs = "unshare mount diff")]
    public void An_atomic_clone_needs_no_proc()
    {
        NewTree();
        Directory.CreateDirectory(At("into"));

        Assert.Equal(new ShellResult(0, "", ""), RunWithoutProc("copy", "--atomic", At("source"), At("source/file"), At("into")));
        Assert.Equal(new ShellResult(0, "", ""), RunWithoutProc("copy", "--atomic", At("source"), At("new")));
        Assert.Equal(
            new ShellResult(0, "", ""),
            RunWithoutProc("copy", "--atomic", "--relative-base", At("source"), At("source/dir/deeper"), At("made/by/it")));
        ShellResult failed = RunWithoutProc("copy", "--atomic", At("source"), At("missing"), At("made/not"));

        Assert.Equal((1, 2), (failed.ExitCode, failed.Error.Count(c => c == '\n')));
        Shell.Check("diff", "-r", At("source"), At("into/source"));
        Shell.Check("diff", At("source/file"), At("into/file"));
        Shell.Check("diff", "-r", At("source"), At("new"));
        Shell.Check("diff", "-r", At("source/dir/deeper"), At("made/by/it/dir/deeper"));
        Assert.Equal(["into", "made", "new", "source"], Names("."));
        Assert.Equal(["by"], Names("made"));
    }

    [RootFact(Needs = "unshare mount")]
    public void A_clone_of_one_moment_says_that_it_needs_proc()
    {
        NewTree();

        ShellResult result = RunWithoutProc("copy", "--point-in-time", At("source"), At("clone"));

        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith($"btrfs-clone: {At("source")}: /proc ", result.Error, StringComparison.Ordinal);
        Assert.Contains("mount -t proc", result.Error, StringComparison.Ordinal);
        Assert.Equal(["source"], Names("."));
    }

    [RootTheory(Needs = Injection.Tools)]
    [InlineData("ENOSYS")]
    [InlineData("EPERM")]
    public void Whichever_ioctl_is_refused_one_filesystem_is_not_called_two(string error)
    {
        NewTree();
        int refused = 0;
        Injection.RunAtEach(
            "ioctl", error,
            () =>
            {
                Shell.Check("rm", "-rf", At("clone"));
                return ["copy", At("source"), At("clone")];
            },
            (place, result) =>
            {
                Assert.DoesNotContain("different filesystems", result.Error, StringComparison.Ordinal);
                refused++;
            });
        Assert.True(refused > 3);
    }

    /// <summary>Runs the program where nothing is found below /proc/self/fd. The managed one does not begin without all of it.</summary>
    private static ShellResult RunWithoutProc(params string[] arguments) => Shell.Run(
        "unshare",
        ["--mount", "--propagation=private", "sh", "-c", "mount -t tmpfs none /proc/$$/fd && exec \"$@\"", "sh",
            Program.File, .. arguments]);

    private void NewTree()
    {
        Directory.CreateDirectory(At("source/dir/deeper"));
        File.WriteAllText(At("source/file"), "x");
        File.WriteAllText(At("source/dir/deeper/file"), "y");
    }

    private string[] Names(string folder) => [.. Directory.EnumerateFileSystemEntries(At(folder))
        .Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)];

    private string At(string name) => Path.Combine(_folder, name);
}
