using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary>Standard streams that are closed, full, or that nobody reads: the work goes on, and the exit code tells the rest.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class StreamTests(ScratchBtrfs btrfs)
{
    private const string Lost = "btrfs-clone: standard output: the output is incomplete: write: ";

    private readonly string _folder = btrfs.NewFolder();

    [BtrfsTheory]
    [InlineData("2>/dev/full")]
    [InlineData("2>&-")]
    [InlineData(">&- 2>&-")]
    [InlineData("<&- >&- 2>&-")]
    [InlineData("2>&1 | true")]
    public void What_cannot_be_said_stops_no_clone(string streams)
    {
        MakeTree();

        // The first source fails, and nobody can be told.
        ShellResult result = Run($"{{ % copy missing tree into; echo $? >code; }} {streams}");

        Assert.Equal("1\n", File.ReadAllText(At("code")));
        Assert.Equal("", result.Output + result.Error);
        Assert.Equal("", Shell.Check("diff", "--recursive", At("tree"), At("into/tree")));
    }

    [BtrfsTheory]
    [InlineData("<&- >&- 2>&-", "copy --atomic")]
    [InlineData("<&- 2>&-", "copy")]
    [InlineData(">&-", "copy --jobs=8")]
    [InlineData("<&-", "copy --reflink=auto")]
    public void No_file_of_a_clone_gets_the_number_of_a_closed_stream(string streams, string verb)
    {
        MakeTree();

        ShellResult result = Run($"% {verb} tree clone {streams}");

        Assert.Equal(new ShellResult(0, "", ""), result);
        Assert.Equal("", Shell.Check("diff", "--recursive", At("tree"), At("clone")));
    }

    [BtrfsTheory]
    [InlineData("extents a", ">/dev/full", "No space left on device")]
    [InlineData("extents --json a", ">&-", "Bad file descriptor")]
    [InlineData("measure a tree", ">/dev/full", "No space left on device")]
    [InlineData("measure --json a", ">&-", "Bad file descriptor")]
    [InlineData("compare a a", ">/dev/full", "No space left on device")]
    [InlineData("merge a a", ">&-", "Bad file descriptor")]
    [InlineData("--help", ">/dev/full", "No space left on device")]
    [InlineData("copy --help", ">&-", "Bad file descriptor")]
    [InlineData("--version", ">/dev/full", "No space left on device")]
    public void Output_that_is_lost_is_a_failure_in_one_line(string verb, string stream, string cause)
    {
        MakeTree();
        Assert.Equal(0, Run("head -c 9000 /dev/urandom >a; cp a b; sync -f .").ExitCode);

        ShellResult result = Run($"% {verb.Replace("a a", "a b", StringComparison.Ordinal)} {stream}");

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        // The copies share nothing, which compare finds out too.
        Assert.Equal($"{Lost}{cause}\n", result.Error);
    }

    [BtrfsFact]
    public void A_merge_that_cannot_be_told_of_is_done()
    {
        Assert.Equal(0, Run("head -c 90000 /dev/urandom >a; cp --reflink=never a b; sync -f .").ExitCode);

        ShellResult result = Run("% merge --verbose a b >/dev/full");

        Assert.Equal((1, $"{Lost}No space left on device\n"), (result.ExitCode, result.Error));
        Assert.Equal(0, Run("% compare a b >/dev/null").ExitCode);
    }

    [BtrfsTheory]
    [InlineData("extents a a a", 0)]
    [InlineData("measure a a", 0)]
    [InlineData("compare a b", 0)]
    [InlineData("compare a c", 1)]
    public void A_reader_that_has_seen_enough_is_no_failure(string verb, int exitCode)
    {
        Assert.Equal(0, Run(
            "for i in $(seq 0 2 600); do dd if=/dev/urandom of=a bs=4k count=1 seek=$i conv=notrunc status=none; done; " +
            "cp --reflink=always a b; cp --reflink=never a c; sync -f .").ExitCode);

        ShellResult result = Run($"{{ % {verb}; echo $? >code; }} | true");

        Assert.Equal(new ShellResult(0, "", ""), result);
        Assert.Equal($"{exitCode}\n", File.ReadAllText(At("code")));
    }

    [BtrfsFact(Needs = "prlimit")]
    public void Output_beyond_the_size_limit()
    {
        Assert.Equal(0, Run(
            "for i in $(seq 0 2 2000); do dd if=/dev/zero of=a bs=4k count=1 seek=$i conv=notrunc status=none; done; sync -f .").ExitCode);

        // The managed runtime's own memory files are larger than that unless told otherwise.
        ShellResult result = Run("DOTNET_EnableWriteXorExecute=0 prlimit --fsize=65536 % extents a >out");

        Assert.Equal((1, $"{Lost}File too large\n"), (result.ExitCode, result.Error));
        Assert.Equal(65536, new FileInfo(At("out")).Length);
    }

    [BtrfsFact]
    public void A_wrong_command_line_that_cannot_be_told_of_is_2() =>
        Assert.Equal("2\n2\n", Run("% cpoy 2>/dev/full; echo $?; % cpoy 2>&-; echo $?").Output);

    private void MakeTree()
    {
        for (int i = 0; i < 40; i++)
        {
            Directory.CreateDirectory(At($"tree/{i % 7}"));
            File.WriteAllText(At($"tree/{i % 7}/{i}"), $"content {i}");
        }
    }

    private ShellResult Run(string script) =>
        Shell.Run("sh", "-c", $"cd '{_folder}' && {script.Replace("%", $"'{Support.Program.File}'", StringComparison.Ordinal)}");

    private string At(string name) => Path.Combine(_folder, name);
}
