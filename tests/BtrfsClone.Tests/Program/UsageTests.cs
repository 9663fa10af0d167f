using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary>The command line itself, which needs no filesystem.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("copy missing new")]
    [InlineData("copy --atomic missing new")]
    [InlineData("copy --dereference missing new")]
    [InlineData("copy --point-in-time missing new")]
    [InlineData("copy --snapshot missing new")]
    [InlineData("copy --snapshot --recurse missing new")]
    [InlineData("sync missing new")]
    [InlineData("send --output stream missing")]
    [InlineData("range missing new")]
    [InlineData("merge missing .")]
    [InlineData("merge . missing")]
    [InlineData("compare missing .")]
    [InlineData("compare . missing")]
    [InlineData("extents missing")]
    [InlineData("extents --recursive missing")]
    [InlineData("owners missing")]
    [InlineData("wait missing")]
    [InlineData("measure missing")]
    [InlineData("report --output page missing")]
    [InlineData("duplicates missing")]
    [InlineData("optimize missing")]
    public void A_missing_path_is_told_in_the_same_words_by_every_verb(string words)
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            ShellResult result = Shell.Run("sh", "-c", $"cd $0; $1 {words}", folder, Support.Program.File);

            Assert.Equal(1, result.ExitCode);
            Assert.StartsWith($"btrfs-clone: {folder}/missing: no such file or directory: ", result.Error, StringComparison.Ordinal);
            Assert.Empty(Directory.GetFileSystemEntries(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData]
    [InlineData("no-such-verb")]
    [InlineData("copy")]
    [InlineData("copy", "only-one")]
    [InlineData("copy", "--no-such-option", "a", "b")]
    [InlineData("copy", "--reflink", "never", "a", "b")]
    [InlineData("copy", "--jobs", "0", "a", "b")]
    [InlineData("copy", "--jobs", "65", "a", "b")]
    [InlineData("copy", "--jobs", "many", "a", "b")]
    [InlineData("sync", "a")]
    [InlineData("sync", "a", "b", "c")]
    [InlineData("sync", "--check", "sums", "a", "b")]
    [InlineData("duplicates")]
    [InlineData("duplicates", "--source", "guess", "a")]
    [InlineData("wait")]
    [InlineData("wait", "--timeout", "0", "a")]
    [InlineData("wait", "--timeout", "soon", "a")]
    [InlineData("compare", "only-one")]
    [InlineData("extents")]
    [InlineData("owners")]
    [InlineData("send")]
    [InlineData("send", "--protocol", "3", "a")]
    [InlineData("send", "--json", "a")]
    [InlineData("optimize")]
    [InlineData("optimize", "--minimum-gain", "0", "a")]
    [InlineData("optimize", "--minimum-gain", "much", "a")]
    [InlineData("optimize", "--maximum-rate", "-1", "a")]
    [InlineData("report", "a")]
    [InlineData("report", "--output", "a", "--depth", "3")]
    [InlineData("extents", "--offset", "-1", "a")]
    [InlineData("extents", "--offset", "many", "a")]
    [InlineData("extents", "--length", "0", "a")]
    [InlineData("extents", "--source", "guess", "a")]
    [InlineData("demo", "surplus")]
    [InlineData("merge", "only-one")]
    [InlineData("range", "only-one")]
    [InlineData("range", "a", "b", "c")]
    [InlineData("range", "a:99999999999g", "b")]
    [InlineData("range", "a", "b:9223372036854775808")]
    [InlineData("range", "", "b")]
    public void Wrong_usage_is_2_and_says_so_on_standard_error(params string[] arguments)
    {
        ShellResult result = Support.Program.Run(arguments);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        string[] lines = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("btrfs-clone: ", lines[0], StringComparison.Ordinal);
        Assert.DoesNotContain("\\x", lines[0], StringComparison.Ordinal);
        Assert.Contains("--help", lines[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-L", "sync", "-L", "a", "b")]
    [InlineData("--follow", "sync", "a", "--follow", "b")]
    [InlineData("-q", "measure", "-q")]
    [InlineData("--backups", "copy", "--backups", "a", "b")]
    public void An_option_that_a_verb_does_not_have_is_what_is_told(string option, params string[] arguments)
    {
        ShellResult result = Support.Program.Run(arguments);

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith($"btrfs-clone: Unrecognized option '{option}'.\n", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("--version")]
    [InlineData("copy", "--help")]
    [InlineData("sync", "--help")]
    [InlineData("duplicates", "--help")]
    [InlineData("wait", "--help")]
    [InlineData("extents", "--help")]
    [InlineData("owners", "--help")]
    [InlineData("send", "--help")]
    [InlineData("optimize", "--help")]
    [InlineData("report", "--help")]
    public void Help_and_version_go_to_standard_output(params string[] arguments)
    {
        ShellResult result = Support.Program.Run(arguments);

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.NotEmpty(result.Output);
    }
}
