using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary>Symbolic links that are followed on request: as cp(1) does it, but for what would not end.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class FollowedLinkTests
{
    // All that belongs to an entry, and the content of files.
    private const string Facts = "find . -printf '%P %y %m %U:%G %T@\\n' | LC_ALL=C sort; " +
        "find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum";

    private readonly string _folder;

    public FollowedLinkTests(ScratchBtrfs btrfs)
    {
        _folder = btrfs.NewFolder();
        Sh("""
            mkdir -p src/d/e out/o src/deep/er; head -c 50000 /dev/urandom > src/f; head -c 9000 /dev/urandom > src/d/g; ln src/d/g src/d/g2
            head -c 5000 /dev/urandom > out/o/x; echo hi > out/y; mkfifo out/fifo; mkdir out/mode; chmod 750 out/mode
            ln -s f src/lf; ln -s f src/lf2; ln -s d src/ld; ln -s ../out src/lo; ln -s ../../out/y src/d/ly; ln -s $PWD/out/o src/d/e/abs
            ln -s ../out/fifo src/lfifo; ln -s ../../../out src/deep/er/up; ln -s src named; ln -s src/f file
            chmod 640 out/y; touch -d 2001-01-01 out/y out/o out/mode src src/d
            """);
    }

    [BtrfsTheory(Needs = "cp")]
    [InlineData("-L", "src")]
    [InlineData("-L", "named")]
    [InlineData("-H", "named")]
    [InlineData("-L", "file")]
    [InlineData("-H", "file")]
    [InlineData("-L --atomic", "src")]
    [InlineData("-L --jobs 1", "src")]
    [InlineData("-L --jobs 8", "src")]
    public void What_links_lead_to_is_cloned_as_cp_copies_it(string options, string item)
    {
        ShellResult result = Run($"copy {options} {item} clone");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Sh($"cp -a {options[..2]} --no-preserve=links {item} witness");
        Assert.Equal(FactsOf("witness"), FactsOf("clone"));
    }

    [BtrfsFact(Needs = "cp")]
    public void All_share_their_data_and_hard_links_are_kept()
    {
        Assert.Equal(0, Run("copy -L src clone").ExitCode);

        foreach (string pair in (string[])["src/f clone/lf", "src/f clone/lf2", "src/d/g clone/ld/g2", "out/o/x clone/deep/er/up/o/x"])
        {
            Assert.Equal(0, Run($"compare {pair}").ExitCode);
        }

        string inodes = Sh("stat -c %i clone/f clone/lf clone/lf2 clone/d/g clone/d/g2 | sort | uniq -c | awk '{print $1}' | sort");
        Assert.Equal("1\n1\n1\n2\n", inodes);
    }

    [BtrfsFact]
    public void Links_to_nowhere_and_back_are_errors_and_the_rest_is_cloned()
    {
        Sh("mkdir -p t/a/b; echo x > t/x; echo b > t/a/b/f; ln -s nowhere t/dangling; ln -s loop t/loop");
        Sh("ln -s .. t/a/b/up; ln -s . t/a/self");

        ShellResult result = Run("copy -L t clone");

        Assert.Equal(1, result.ExitCode);
        string[] lines = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4, lines.Length);
        string[] all =
        [
            "dangling: no such file", "loop: the path leads through too many", "a/b/up: a symbolic link leads back",
            "a/self: a symbolic link leads back",
        ];
        foreach (string told in all)
        {
            Assert.Contains(lines, line => line.StartsWith($"btrfs-clone: {_folder}/t/{told}", StringComparison.Ordinal));
        }

        Assert.Equal("\na\na/b\na/b/f\nx\n", Sh("cd clone; find . -printf '%P\\n' | LC_ALL=C sort"));
        Assert.Equal(1, Run("copy -L --atomic t nothing").ExitCode);
        Assert.Equal(1, Run("copy -H t/dangling nothing").ExitCode);
        Assert.False(Path.Exists(Path.Combine(_folder, "nothing")));
    }

    [BtrfsTheory]
    [InlineData("mkdir -p t/a; ln -s ../../clone/a t/a/l", "t/a/l", "\na\n")] // What is being made: cp fills it until the name is too long.
    [InlineData("mkdir t; ln -s .. t/l", "t/l/clone", null)]
    public void A_link_into_the_destination_is_refused(string make, string refused, string? names)
    {
        Sh(make);

        ShellResult result = Run("copy -L t clone");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"{_folder}/{refused}: a directory cannot be cloned into itself", result.Error, StringComparison.Ordinal);
        Assert.True(names is null || names == Sh("cd clone; find . -printf '%P\\n'"));
    }

    [BtrfsFact]
    public void A_file_is_not_replaced_by_a_link_to_it()
    {
        Assert.Contains("same file", Run("copy -L file src/f").Error, StringComparison.Ordinal);
        Assert.Contains("cannot be cloned into itself", Run("copy -H named src/d/new").Error, StringComparison.Ordinal);
        Assert.Equal("50000\n", Sh("stat -c %s src/f"));
    }

    [BtrfsTheory]
    [InlineData("-L --point-in-time")]
    [InlineData("-H --point-in-time")]
    [InlineData("-L -H")]
    [InlineData("-L --snapshot")]
    public void What_does_not_go_together_is_refused(string options)
    {
        ShellResult result = Run($"copy {options} src clone");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("cannot be used together", result.Error, StringComparison.Ordinal);
    }

    [BtrfsFact(Needs = "cp")]
    public void Patterns_see_what_links_lead_to_under_their_names()
    {
        Assert.Equal(0, Run("copy -L --exclude lo --exclude 'd/' --exclude 'lf*' src clone").ExitCode);

        Sh("cp -aL --no-preserve=links src witness; cd witness; rm -r lo d lf lf2 lfifo; touch -r ../src .");
        Assert.Equal(FactsOf("witness"), FactsOf("clone"));
    }

    private string FactsOf(string item) =>
        Sh($"if test -d {item}; then cd {item}; {Facts}; else stat -c '%f %u %g %Y' {item}; sha256sum < {item}; fi");

    private string Sh(string script) => Shell.Check("sh", "-ec", $"cd '{_folder}'; {script}");

    private ShellResult Run(string words) => Shell.Run("sh", "-c", $"cd $0; $1 {words}", _folder, Support.Program.File);
}
