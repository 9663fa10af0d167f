using System.Text.Json;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary>Names that come from a list, and results as JSON.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class FilesFromTests
{
    private readonly string _folder;

    public FilesFromTests(ScratchBtrfs btrfs)
    {
        _folder = btrfs.NewFolder();
        Shell.Check(
            "bash", "-c",
            "cd $0; mkdir -p src/sub dst; echo a > src/a; echo b > src/sub/b; echo n > $'src/new\\nline'; echo e > $'src/\\xe9'; " +
            "head -c 9000 /dev/urandom > src/sub/c", _folder);
    }

    [BtrfsTheory(Needs = "find rsync bash")]
    [InlineData("find src -type f -print0", "-0 --files-from -", "--relative-base src")]
    [InlineData("find src -mindepth 1 -print0", "-0 --files-from -", "--relative-base src")]
    [InlineData("find src -mindepth 1 -print0", "--null --files-from /dev/stdin", "--relative-base src --jobs 4")]
    public void A_list_of_find_is_cloned_as_rsync_does_it(string list, string words, string options)
    {
        Shell.Check("bash", "-c", "cd $0/src; find . -print0 | rsync -aHAX -0 --files-from=- . ../witness", _folder);

        Shell.Check("bash", "-c", $"cd $0; {list} | $1 copy {words} {options} dst", _folder, Support.Program.File);

        Shell.Check("diff", "-r", Path.Combine(_folder, "witness"), Path.Combine(_folder, "dst"));
    }

    [BtrfsFact(Needs = "bash")]
    public void Lines_go_into_the_destination_with_what_is_named_before_it()
    {
        ShellResult result = Run(@"printf 'src/a\nsrc/missing\n\nsrc/sub' | $1 copy --files-from - $'src/\xe9' dst");

        Assert.Equal(1, result.ExitCode);
        Assert.Equal(2, result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("src/missing: no such file", result.Error, StringComparison.Ordinal);
        Assert.Equal(
            "\na\nsub\nsub/b\nsub/c\n",
            Shell.Check("bash", "-c", "cd $0/dst; rm $'\\xe9'; find . -printf '%P\\n' | sort", _folder));
    }

    [BtrfsTheory(Needs = "bash")]
    [InlineData("$1 copy dst", 2)]
    [InlineData("$1 copy -0 src dst", 2)]
    [InlineData("$1 copy --files-from - -T dst < /dev/null", 2)]
    [InlineData("$1 copy --files-from missing dst", 1)]
    [InlineData("$1 copy --files-from - dst < /dev/null", 0)]
    public void Wrong_uses_are_told(string command, int exitCode)
    {
        ShellResult result = Run(command);

        Assert.Equal(exitCode, result.ExitCode);
        Assert.Equal(exitCode == 0, result.Error.Length == 0);
        Assert.Equal("", Shell.Check("ls", Path.Combine(_folder, "dst")));
    }

    [BtrfsTheory(Needs = "bash")]
    [InlineData("")]
    [InlineData("--atomic")]
    public void Each_source_is_a_line_of_json(string option)
    {
        ShellResult result = Run($"$1 copy --json {option} src/a $'src/\\xe9' src/sub dst");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        JsonElement[] lines = Lines(result.Output);
        Assert.Equal(3, lines.Length);
        Assert.Equal($"{_folder}/src/a", lines[0].GetProperty("Source").GetString());
        Assert.Equal($"{_folder}/dst/a", lines[0].GetProperty("Path").GetString());
        Assert.Equal(("File", 1), (lines[0].GetProperty("Kind").GetString(), lines[0].GetProperty("Files").GetInt64()));
        Assert.Contains(@"\udce9", result.Output, StringComparison.Ordinal);
        Assert.Equal(("Directory", 9002), (lines[2].GetProperty("Kind").GetString(), lines[2].GetProperty("Length").GetInt64()));
    }

    [BtrfsFact(Needs = "bash")]
    public void Each_merged_file_is_a_line_of_json()
    {
        ShellResult result = Run("cp -r --reflink=never src other; sync -f .; $1 merge --json src other");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        JsonElement[] lines = Lines(result.Output);
        Assert.Equal(5, lines.Length);
        Assert.Equal(9000, lines.Sum(line => line.GetProperty("DedupedLength").GetInt64()));
        Assert.Equal(8, lines.Sum(line => line.GetProperty("InlineLength").GetInt64()));
        Assert.Contains(lines, line => line.GetProperty("ReferencePath").GetString() == $"{_folder}/src/sub/c");
    }

    private static JsonElement[] Lines(string text) =>
        [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line.Replace(@"\udce9", "é", StringComparison.Ordinal)).RootElement)];

    private ShellResult Run(string command) => Shell.Run("bash", "-c", $"cd $0; {command}", _folder, Support.Program.File);
}
