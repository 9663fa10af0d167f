using System.Diagnostics;
using System.Text.RegularExpressions;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary><c>btrfs-clone copy</c> as a process: what it makes, what it says and how it ends.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed partial class CopyTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    [BtrfsFact]
    public void Says_nothing_when_all_is_done()
    {
        string source = NewFile("a", "content");

        ShellResult result = Support.Program.Run("copy", source, PathOf("b"));

        Assert.Equal((0, "", ""), (result.ExitCode, result.Output, result.Error));
        Assert.Equal("content", File.ReadAllText(PathOf("b")));
    }

    [BtrfsFact]
    public void Clones_several_sources_into_a_directory_that_it_makes()
    {
        ShellResult result = Support.Program.Run("copy", NewFile("a", "1"), NewFile("b", "2"), PathOf("into"));

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Equal("1", File.ReadAllText(PathOf("into/a")));
        Assert.Equal("2", File.ReadAllText(PathOf("into/b")));
    }

    [BtrfsFact]
    public void Reports_a_failure_in_one_line_and_clones_the_rest()
    {
        string missing = PathOf("no\nsuch\u001bfile");

        ShellResult result = Support.Program.Run("copy", missing, NewFile("a", "1"), PathOf("into"));

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        string line = Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Matches(FailureLine(), line);
        Assert.Contains(@"no\x0asuch\x1bfile: ", line, StringComparison.Ordinal);
        Assert.Equal("1", File.ReadAllText(PathOf("into/a")));
    }

    [BtrfsFact]
    public void Takes_names_with_leading_dashes_after_two_dashes()
    {
        NewFile("--force", "1");

        ShellResult result = Shell.Run(
            "sh", "-c", "cd \"$1\" && exec \"$2\" copy -- --force clone", "sh", _folder, Support.Program.File);

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Equal("1", File.ReadAllText(PathOf("clone")));
    }

    [BtrfsFact]
    public void Takes_an_at_sign_for_a_part_of_the_name()
    {
        NewFile("@names", "1");

        ShellResult result = Shell.Run(
            "sh", "-c", "cd \"$1\" && exec \"$2\" copy @names clone", "sh", _folder, Support.Program.File);

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Equal("1", File.ReadAllText(PathOf("clone")));
    }

    [BtrfsFact]
    public void Leaves_existing_files_where_asked_to()
    {
        string source = NewFile("a", "new");
        string existing = NewFile("b", "old");

        ShellResult result = Support.Program.Run("copy", "--no-clobber", source, existing);

        Assert.Equal(1, result.ExitCode);
        Assert.Matches(FailureLine(), result.Error.TrimEnd('\n'));
        Assert.Equal("old", File.ReadAllText(existing));
    }

    [BtrfsFact]
    public void Replaces_a_file_without_write_permission_only_by_force()
    {
        string source = NewFile("a", "new");
        string existing = NewFile("b", "old");
        Shell.Check("chmod", "400", existing);

        Assert.Equal(1, Support.Program.Run("copy", source, existing).ExitCode);
        Assert.Equal("old", File.ReadAllText(existing));
        Assert.Equal(0, Support.Program.Run("copy", "--force", source, existing).ExitCode);
        Assert.Equal("new", File.ReadAllText(existing));
    }

    [BtrfsFact]
    public void Lets_everything_appear_at_once_or_nothing()
    {
        NewFile("src/a", "1");

        Assert.Equal(0, Support.Program.Run("copy", "--atomic", PathOf("src"), PathOf("clone")).ExitCode);
        ShellResult again = Support.Program.Run("copy", "--atomic", PathOf("src"), PathOf("no"), PathOf("other"));

        Assert.Equal("1", File.ReadAllText(PathOf("clone/a")));
        Assert.Equal(1, again.ExitCode);
        string[] lines = again.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.All(lines, line => Assert.Matches(FailureLine(), line));
        Assert.Equal("clone\nsrc\n", Shell.Check("ls", "-A", _folder));
    }

    [BtrfsFact]
    public void Takes_and_leaves_names_below_the_sources()
    {
        NewFile("src/a.txt", "");
        NewFile("src/b.bin", "");
        NewFile("src/skip/c.txt", "");

        ShellResult result = Support.Program.Run(
            "copy", "--include", "*.txt", "--exclude", "skip", PathOf("src"), PathOf("clone"));

        Assert.Equal(0, result.ExitCode);
        Assert.Equal("a.txt", Shell.Check("ls", "-A", PathOf("clone")).Trim());
    }

    [BtrfsFact]
    public void Clones_a_directory_itself_without_recursing()
    {
        NewFile("src/a", "");

        Assert.Equal(0, Support.Program.Run("copy", "--no-recurse", PathOf("src"), PathOf("clone")).ExitCode);

        Assert.True(Directory.Exists(PathOf("clone")));
        Assert.Equal("", Shell.Check("ls", "-A", PathOf("clone")));
    }

    [BtrfsFact]
    public void Keeps_paths_relative_to_a_base()
    {
        string source = NewFile("src/deep/er/a", "1");

        Assert.Equal(
            0, Support.Program.Run("copy", "--relative-base", PathOf("src"), source, PathOf("clone")).ExitCode);

        Assert.Equal("1", File.ReadAllText(PathOf("clone/deep/er/a")));
    }

    [BtrfsFact]
    public void Says_how_many_bytes_it_had_to_copy()
    {
        string elsewhere = Directory.CreateTempSubdirectory("btrfs-clone-tests-").FullName;
        try
        {
            string source = NewFile("a", new string('x', 5000));

            Assert.Equal(1, Support.Program.Run("copy", source, elsewhere).ExitCode);
            ShellResult result = Support.Program.Run("copy", "--reflink", "auto", source, elsewhere);

            Assert.Equal((0, ""), (result.ExitCode, result.Output));
            Assert.Contains("5000 bytes", result.Error, StringComparison.Ordinal);
            Shell.Check("cmp", source, Path.Combine(elsewhere, "a"));
        }
        finally
        {
            Directory.Delete(elsewhere, recursive: true);
        }
    }

    [BtrfsTheory]
    [InlineData(Signal.Interrupt)]
    [InlineData(Signal.Terminate)]
    public void Stops_on_a_signal_and_leaves_whole_files_only(int signal)
    {
        Shell.Check(
            "sh",
            "-c",
            "mkdir -p \"$1\" && cd \"$1\" && head -c 300000 /dev/urandom > all && " +
            "for d in $(seq 60); do mkdir $d && split -a 4 -b 300 all $d/f; done && rm all",
            "sh",
            PathOf("src"));
        using Process process = Support.Program.Start("copy", "--jobs", "1", PathOf("src"), PathOf("clone"));
        Assert.True(
            SpinWait.SpinUntil(() => Directory.Exists(PathOf("clone/1")) || process.HasExited, TimeSpan.FromSeconds(20)));

        Signal.Send(process, signal);
        process.WaitForExit();

        Assert.Equal(128 + signal, process.ExitCode);
        // It did not go on to the end. Names and content alike: what is there is whole, and no temporary name stays.
        string[] differences = Shell.Run("diff", "-rq", PathOf("src"), PathOf("clone"))
            .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEmpty(differences);
        Assert.All(differences, line => Assert.StartsWith($"Only in {PathOf("src")}", line, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"\Abtrfs-clone: [^\n]+: [^\n:]+: [^\n]+\z")]
    private static partial Regex FailureLine();

    private string PathOf(string name) => Path.Combine(_folder, name);

    private string NewFile(string name, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        File.WriteAllText(PathOf(name), content);
        return PathOf(name);
    }
}
