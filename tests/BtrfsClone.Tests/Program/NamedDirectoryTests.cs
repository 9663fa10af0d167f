using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary>What the ends of paths say (<c>/</c>, <c>/.</c>, <c>.</c>) and what stands at the destination; cp(1) is the witness.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class NamedDirectoryTests
{
    private const string Make = """
        mkdir -p tree/sub dst; echo a > tree/a; echo b > tree/sub/.b; chmod 751 tree; echo f > file
        ln -s tree link; ln -s file filelink; ln -s dst dstlink; find . -exec touch -h -d 2001-02-03 {} +
        """;

    private readonly string _folder;

    public NamedDirectoryTests(ScratchBtrfs btrfs)
    {
        _folder = btrfs.NewFolder();
        foreach (string side in (string[])["ours", "cp"])
        {
            Shell.Check("sh", "-c", $"mkdir $0/{side}; cd $0/{side}; {Make}", _folder);
        }
    }

    [BtrfsTheory(Needs = "cp find")]
    [InlineData("tree/. dst")]
    [InlineData("tree/. new")]
    [InlineData("tree/./ dst")]
    [InlineData("tree/sub/.. dst")]
    [InlineData("tree/. dstlink")]
    [InlineData("link/ dst")]
    [InlineData("link/ new")]
    [InlineData("link/. dst")]
    [InlineData("link dst")]
    [InlineData("tree/ dst")]
    [InlineData("tree/. file dst")]
    [InlineData("-T tree dst")]
    [InlineData("-T tree new")]
    [InlineData("-T link/ dst")]
    [InlineData("-T file filelink")]
    [InlineData("file/ dst")]
    [InlineData("file/ new")]
    [InlineData("file/. new")]
    [InlineData("filelink/ dst")]
    [InlineData("-T file dst")]
    [InlineData("-T tree file")]
    [InlineData("-T tree dstlink")]
    [InlineData("missing/. dst")]
    [InlineData("tree/. tree/sub")]
    public void Names_are_those_of_cp(string words)
    {
        ShellResult witness = Shell.Run("sh", "-c", $"cd $0/cp; cp -a --reflink=always {words}", _folder);
        ShellResult result = Shell.Run("sh", "-c", $"cd $0/ours; $1 copy {words}", _folder, Support.Program.File);

        Assert.True(witness.ExitCode == result.ExitCode, $"cp: {witness.Error} ours: {result.Error}");
        Assert.Equal(witness.ExitCode == 0, result.Error.Length == 0);
        if (words != "tree/. tree/sub")
        {
            // Of that, cp makes a part.
            Assert.Equal(State("cp"), State("ours"));
        }
    }

    [BtrfsFact(Needs = "cp find")]
    public void The_working_directory_is_cloned_by_a_dot()
    {
        Shell.Check("sh", "-c", "cd $0/cp/tree; cp -a --reflink=always . ../dst", _folder);

        Shell.Check("sh", "-c", "cd $0/ours/tree; $1 copy . ../dst", _folder, Support.Program.File);

        Assert.Equal(State("cp"), State("ours"));
    }

    [BtrfsFact]
    public void What_is_asked_for_as_a_directory_and_is_none_is_told()
    {
        ShellResult result = Shell.Run("sh", "-c", "cd $0/ours; $1 copy file/ new", _folder, Support.Program.File);

        Assert.StartsWith(
            $"btrfs-clone: {_folder}/ours/file/: a part of the path is not a directory: ", result.Error, StringComparison.Ordinal);
        Assert.Equal(2, Support.Program.Run("copy", "-T", "a", "b", "c").ExitCode);
        Assert.Equal(2, Support.Program.Run("copy", "-T", "--relative-base", ".", "a", "b").ExitCode);
    }

    [RootFact(Needs = "mkfifo mknod python3")]
    public void A_device_a_FIFO_or_a_socket_is_replaced_by_force_alone()
    {
        const string MakeAll = """
            cd $0/ours; mkfifo fifo; mknod null c 1 3; mknod loop b 7 200
            python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('socket')"; mkdir specials; cp -a fifo null loop socket specials
            """;
        Shell.Check("sh", "-c", MakeAll, _folder);
        foreach (string name in (string[])["fifo", "null", "loop", "socket"])
        {
            string path = $"{_folder}/ours/{name}";
            string before = Shell.Check("stat", "--format=%i %F %Z", path);
            foreach (string[] options in new string[][] { [], ["--atomic"], ["--reflink", "auto"] })
            {
                ShellResult result = Support.Program.Run(["copy", .. options, $"{_folder}/ours/file", path]);

                Assert.Equal(1, result.ExitCode);
                Assert.Contains(
                    $"{path}: a device, a FIFO or a socket is in the way, and is left as it is: Use --force", result.Error,
                    StringComparison.Ordinal);
                Assert.Equal(before, Shell.Check("stat", "--format=%i %F %Z", path));
            }

            // A second clone of a tree finds those of the first.
            Assert.Equal(0, Support.Program.Run("copy", $"{_folder}/ours/specials/{name}", path).ExitCode);
            Assert.Equal(0, Support.Program.Run("copy", "--force", $"{_folder}/ours/file", path).ExitCode);
            Assert.Equal("f\n", File.ReadAllText(path));
        }
    }

    [RootFact(Needs = "setpriv chown")]
    public void A_link_whose_target_may_not_be_looked_up_stays()
    {
        const string MakeSecret = "cd $0/ours; mkdir -m 700 secret; ln -s secret/dir secretlink; ln -s circle circle; chown 65534 . file";
        Shell.Check("sh", "-c", MakeSecret, _folder);
        foreach ((string link, string why) in new[] { ("secretlink", "permission denied"), ("circle", "too many levels") })
        {
            ShellResult result = Shell.Run(
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Support.Program.File, "copy",
                $"{_folder}/ours/file", $"{_folder}/ours/{link}");

            Assert.Equal(1, result.ExitCode);
            Assert.Contains($"ours/{link}: ", result.Error, StringComparison.Ordinal);
            Assert.Contains(why, result.Error, StringComparison.OrdinalIgnoreCase);
            Assert.NotNull(new FileInfo($"{_folder}/ours/{link}").LinkTarget);
        }
    }

    [RootFact(Needs = SwapFile.Tools)]
    public void A_preview_of_a_merge_refuses_a_swap_file_as_the_merge_does()
    {
        using SwapFile swap = new($"{_folder}/swap");
        Shell.Check("sh", "-c", ": > $0/other; chattr +C $0/other; cat $0/swap > $0/other; sync $0/other", _folder);
        foreach ((string reference, string path) in new[] { ("swap", "other"), ("other", "swap") })
        {
            ShellResult merge = Support.Program.Run("merge", $"{_folder}/{reference}", $"{_folder}/{path}");
            ShellResult preview = Support.Program.Run("merge", "--dry-run", $"{_folder}/{reference}", $"{_folder}/{path}");

            Assert.Equal(1, merge.ExitCode);
            Assert.Contains("it is an active swap file", merge.Error, StringComparison.Ordinal);
            Assert.Equal(merge, preview);
        }
    }

    private string State(string side) =>
        Shell.Check("sh", "-c", "cd $0/$1; find . -mindepth 1 -printf '%P %y %m %s %TY %l\\n' | sort", _folder, side);
}
