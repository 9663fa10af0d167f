using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary>What is kept of files that are replaced, and what is not replaced; cp(1) is the witness.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class BackupTests
{
    private const string Make = """
        mkdir -p src/sub dst/src/sub; umask 022
        for i in a b sub/c sub/long; do echo new $i > src/$i; done
        ln -s a src/link; mkfifo src/fifo; ln src/a src/hard
        for i in a b sub/c; do echo old $i > dst/src/$i; done; ln -s z dst/src/link; mkfifo dst/src/fifo; echo older > dst/src/a.~3~
        touch -d 2020-01-01 dst/src/a dst/src/sub/c src/b
        touch -d 2022-01-01 src/a dst/src/b; touch -d 2019-01-01 src/sub/c; touch -h -d 2021-01-01 dst/src/link src/link
        touch -d 2023-01-01 src/fifo; touch -d 2022-01-01 dst/src/fifo; touch -d 2020-01-01 src src/sub
        """;

    private readonly string _folder;

    public BackupTests(ScratchBtrfs btrfs)
    {
        _folder = btrfs.NewFolder();
        Shell.Check("bash", "-c", $"mkdir $0/ours; cd $0/ours; {Make}; cp -a . ../cp", _folder);
    }

    [BtrfsTheory(Needs = "cp find bash")]
    [InlineData("--backup=simple")]
    [InlineData("--backup=numbered")]
    [InlineData("--update")]
    [InlineData("-u --backup=numbered")]
    public void The_destination_is_that_of_cp(string options)
    {
        for (int i = 0; i < 3; i++)
        {
            Shell.Check("sh", "-c", $"cd $0/cp; cp -a {options} src dst", _folder);
            Shell.Check("sh", "-c", $"cd $0/ours; $1 copy {options} src dst", _folder, Support.Program.File);
        }

        Assert.Equal(State("cp"), State("ours"));
    }

    [BtrfsFact(Needs = "stat")]
    public void The_backup_is_the_file_that_was_there()
    {
        string before = Shell.Check("stat", "-c", "%i %Y %s %a %h", Path.Combine(_folder, "ours/dst/src/b"));

        Shell.Check("sh", "-c", "cd $0/ours; $1 copy --backup simple src/b dst/src", _folder, Support.Program.File);

        Assert.Equal(before, Shell.Check("stat", "-c", "%i %Y %s %a %h", Path.Combine(_folder, "ours/dst/src/b~")));
        Assert.Equal("new b\n", File.ReadAllText(Path.Combine(_folder, "ours/dst/src/b")));
    }

    [BtrfsFact]
    public void A_backup_never_takes_the_name_of_what_is_cloned()
    {
        string command = "cd $0/ours; echo tilde > src/a~; echo old > dst/src/a~; $1 copy --backup simple src dst";

        ShellResult result = Shell.Run("sh", "-c", command, _folder, Support.Program.File);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("dst/src/a: its backup would have the name of something else", result.Error, StringComparison.Ordinal);
        Assert.Equal("old a\n", File.ReadAllText(Path.Combine(_folder, "ours/dst/src/a")));
        Assert.Equal("tilde\n", File.ReadAllText(Path.Combine(_folder, "ours/dst/src/a~")));
        Assert.Equal("old\n", File.ReadAllText(Path.Combine(_folder, "ours/dst/src/a~~")));
    }

    [BtrfsFact]
    public void Without_room_for_the_backups_name_nothing_is_replaced()
    {
        string name = new('x', 255);
        foreach (string side in (string[])["src", "dst/src"])
        {
            File.WriteAllText(Path.Combine(_folder, "ours", side, name), side);
        }

        foreach (string mode in (string[])["simple", "numbered"])
        {
            ShellResult result = Shell.Run(
                "sh", "-c", $"cd $0/ours; $1 copy --backup {mode} src/xxx* dst/src", _folder, Support.Program.File);

            Assert.Equal(1, result.ExitCode);
            Assert.Equal("dst/src", File.ReadAllText(Path.Combine(_folder, "ours/dst/src", name)));
            Assert.Equal("", Shell.Check("find", Path.Combine(_folder, "ours/dst"), "-name", ".btrfs-clone*"));
        }
    }

    [BtrfsTheory]
    [InlineData("--atomic --backup simple")]
    [InlineData("--atomic -u")]
    [InlineData("--backup other")]
    [InlineData("--snapshot --backup simple")]
    public void Wrong_uses_are_refused(string options)
    {
        Assert.Equal(2, Shell.Run("sh", "-c", $"cd $0/ours; $1 copy {options} src dst", _folder, Support.Program.File).ExitCode);
    }

    private string State(string side) => Shell.Check(
        "bash", "-c",
        "cd $0; find . -type d -o -printf '%p %y %m %n %s %t %l\\n' | LC_ALL=C sort; cat $(find . -type f | LC_ALL=C sort)",
        Path.Combine(_folder, side, "dst"));
}
