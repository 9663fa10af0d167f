using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary>Trees in which other filesystems are mounted; cp(1) with -x is the witness of what is left out.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class MountTests : IDisposable
{
    private readonly string _folder;

    public MountTests(ScratchBtrfs btrfs)
    {
        _folder = btrfs.NewFolder();
        if (TestMachine.NoRoot is null)
        {
            Shell.Check(
                "sh", "-c",
                "cd $0; mkdir -p tree/proc tree/tmp tree/below/sys; btrfs -q subvolume create tree/subvolume; echo a > tree/subvolume/a; " +
                "echo b > tree/b; mount -t proc proc tree/proc; mount -t tmpfs tmpfs tree/tmp; mount -t sysfs sysfs tree/below/sys; " +
                "for i in 1 2 3; do mkdir tree/tmp/$i; echo $i > tree/tmp/$i/file; done",
                _folder);
        }
    }

    public void Dispose() => Shell.Run("sh", "-c", "umount $0/tree/proc $0/tree/tmp $0/tree/below/sys", _folder);

    [RootTheory(Needs = "cp find mount btrfs")]
    [InlineData("")]
    [InlineData("--atomic")]
    [InlineData("--point-in-time")]
    [InlineData("--reflink auto")]
    public void On_request_only_one_filesystem_is_cloned(string options)
    {
        ShellResult result = Run($"copy -x {options} tree clone");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        // For cp, a nested subvolume is another filesystem.
        Shell.Check("sh", "-c", "cd $0; cp -ax tree witness; cp -a tree/subvolume witness", _folder);
        Assert.Equal(Names("witness"), Names("clone"));
    }

    [RootFact(Needs = "mount btrfs")]
    public void A_mount_is_one_error_and_the_kernels_own_one_warning()
    {
        ShellResult result = Run("copy tree clone");

        Assert.Equal(1, result.ExitCode);
        string[] lines = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        foreach (string told in (string[])["tmp: another filesystem", "proc: the kernel's view", "below/sys: the kernel's view"])
        {
            Assert.Contains(lines, line => line.StartsWith($"btrfs-clone: {_folder}/tree/{told}", StringComparison.Ordinal));
        }

        Assert.Equal("\nb\nbelow\nbelow/sys\nproc\nsubvolume\nsubvolume/a\n", Names("clone"));
    }

    [RootFact(Needs = "mount btrfs diff")]
    public void Where_bytes_may_be_copied_they_are()
    {
        ShellResult result = Run("copy --reflink auto tree clone");

        Assert.Equal(0, result.ExitCode);
        Shell.Check("diff", "-r", Path.Combine(_folder, "tree/tmp"), Path.Combine(_folder, "clone/tmp"));
        Assert.Contains("\nproc\nsubvolume", Names("clone"), StringComparison.Ordinal);
    }

    [RootTheory(Needs = "mount btrfs")]
    [InlineData("-x")]
    [InlineData("")]
    public void A_sync_leaves_alone_what_lies_where_something_is_mounted(string option)
    {
        Run("copy -x tree clone");
        Shell.Check("sh", "-c", "cd $0/clone; mkdir proc/kept tmp/kept extra; echo old > b", _folder);

        ShellResult result = Run($"sync --delete {option} tree clone");

        Assert.Equal(option.Length > 0 ? 0 : 1, result.ExitCode);
        Assert.Equal("\nb\nbelow\nbelow/sys\nproc\nproc/kept\nsubvolume\nsubvolume/a\ntmp\ntmp/kept\n", Names("clone"));
        Assert.Equal("b\n", File.ReadAllText(Path.Combine(_folder, "clone/b")));
    }

    public static TheoryData<string> Verbs => new(
        "compare tree clone", "compare clone tree", "merge tree clone", "merge clone tree", "wait tree", "extents -r tree", "measure tree",
        "duplicates tree", "optimize tree", "report -o page tree", "send -o stream tree", "sync tree clone", "copy -T tree clone");

    [RootTheory(Needs = "mount btrfs")]
    [MemberData(nameof(Verbs))]
    public void No_verb_enters_what_is_mounted_if_that_is_asked_for(string words)
    {
        Run("copy -x tree clone");

        ShellResult result = Run($"{words} -x");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.DoesNotMatch("proc/|tree/tmp/|: tmp/", result.Output);
        Assert.Equal("\nb\nbelow\nbelow/sys\nproc\nsubvolume\nsubvolume/a\ntmp\n", Names("clone"));
    }

    [RootTheory(Needs = "mount btrfs")]
    [MemberData(nameof(Verbs))]
    public void No_verb_enters_the_kernels_own_and_all_tell_it_once(string words)
    {
        Shell.Check("umount", Path.Combine(_folder, "tree/tmp"));
        Run("copy -x tree clone");

        ShellResult result = Run(words);

        Assert.Equal(0, result.ExitCode);
        Assert.DoesNotContain("proc/", result.Output, StringComparison.Ordinal);
        string[] told = [.. result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
        Assert.Collection(
            told,
            line => Assert.Matches($"^btrfs-clone: {_folder}/tree/below/sys: .* is mounted here; it is left out\\.$", line),
            line => Assert.Matches($"^btrfs-clone: {_folder}/tree/proc: .* is mounted here; it is left out\\.$", line));
    }

    [RootTheory(Needs = "btrfs")]
    [MemberData(nameof(Verbs))]
    public void What_a_snapshot_has_for_a_nested_subvolume_is_no_mount(string words)
    {
        Shell.Check(
            "sh", "-c",
            "cd $0; umount tree/proc tree/tmp tree/below/sys; btrfs -q subvolume create own; btrfs -q subvolume create own/nested; " +
            "btrfs -q subvolume snapshot own tree/snapshot; $1 copy tree clone",
            _folder, Support.Program.File);

        ShellResult result = Run(words);

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
    }

    [RootFact(Needs = "mount btrfs")]
    public void A_subvolume_that_is_searched_by_its_tree_is_no_other_case()
    {
        Shell.Check(
            "sh", "-c",
            "cd $0; btrfs -q subvolume create own; btrfs -q subvolume create own/nested; mkdir own/nested/a own/z; " +
            "mount -t tmpfs tmpfs own/nested/a; mkdir own/nested/a/b; mount -t tmpfs tmpfs own/nested/a/b; mount --bind tree own/z",
            _folder);
        try
        {
            string told = $"btrfs-clone: {_folder}/own/nested/a: another filesystem is mounted here; it is left out.\n";
            foreach (string words in (string[])["duplicates own", "duplicates --exclude x own", "measure own"])
            {
                ShellResult result = Run(words);
                Assert.Equal((0, told), (result.ExitCode, result.Error));
                Assert.Equal("", Run($"{words} -x").Error);
            }
        }
        finally
        {
            Shell.Run("sh", "-c", "cd $0; umount own/z own/nested/a/b own/nested/a", _folder);
        }
    }

    [RootFact(Needs = "mount btrfs")]
    public void A_mount_that_is_named_is_cloned()
    {
        using ScratchImage other = new(256 << 20, "noatime", "mkfs.btrfs", "--quiet");
        Directory.CreateDirectory(Path.Combine(other.Root, "tree"));
        File.WriteAllText(Path.Combine(other.Root, "tree/file"), "content");

        Shell.Check(Support.Program.File, "copy", "-x", Path.Combine(other.Root, "tree"), Path.Combine(other.Root, "clone"));
        Assert.Equal(0, Run("copy -x --reflink auto tree/tmp clone").ExitCode);

        Assert.Equal("content", File.ReadAllText(Path.Combine(other.Root, "clone/file")));
        Assert.Equal("\n1\n1/file\n2\n2/file\n3\n3/file\n", Names("clone"));
    }

    private ShellResult Run(string words) => Shell.Run("sh", "-c", $"cd $0; $1 {words}", _folder, Support.Program.File);

    private string Names(string tree) =>
        Shell.Check("sh", "-c", "cd $0; find . -printf '%P\\n' | LC_ALL=C sort", Path.Combine(_folder, tree));
}
