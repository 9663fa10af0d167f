using System.Text.Json;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary><c>btrfs-clone extents --recursive</c>, and <c>measure</c> without a path.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class ExtentsTests
{
    private readonly string _folder;

    public ExtentsTests(ScratchBtrfs btrfs) => _folder = btrfs.NewFolder();

    [BtrfsFact]
    public void A_tree_is_listed_file_by_file()
    {
        Shell.Check(
            "sh", "-c",
            "cd $0; mkdir -p t/b/c; for f in t/1 t/b/2 t/b/c/3 t/$(printf '\\351'); do head -c 9000 /dev/urandom > $f; done; " +
            "ln -s 1 t/link; ln -s .. t/up; mkfifo t/fifo; touch t/empty; sync -f .", _folder);

        ShellResult result = Run("extents --json -r t t/1");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        string[] found = [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("Path").GetRawText().Trim('"'))];
        string[] names = Shell.Check("sh", "-c", "cd $0; find $PWD/t -type f -size +0", _folder)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4, names.Length);
        Assert.Equal(5, found.Length);
        Assert.Equal($"{_folder}/t/1", found[^1]);
        Assert.Equal(3, found[..^1].Distinct().Intersect(names).Count());
        Assert.Equal(1, Run("extents t").ExitCode);
        Assert.Equal(1, Run("extents -r t/fifo").ExitCode);
    }

    [BtrfsFact]
    public void Without_a_path_the_working_directory_is_measured()
    {
        File.WriteAllText(Path.Combine(_folder, "file"), "text");

        Assert.Equal(Run("measure --json .").Output, Run("measure --json").Output);
        Assert.Contains("\"Files\":1,", Run("measure --json").Output, StringComparison.Ordinal);
    }

    private ShellResult Run(string words) => Shell.Run("sh", "-c", $"cd $0; $1 {words}", _folder, Support.Program.File);
}
