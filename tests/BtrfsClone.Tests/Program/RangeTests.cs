using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary><c>btrfs-clone range</c> as a process: how it takes its arguments apart.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class RangeTests(ScratchBtrfs btrfs)
{
    private const int Block = 4096;

    private readonly string _folder = btrfs.NewFolder();
    private readonly byte[] _content = NewContent();

    [BtrfsTheory]
    [InlineData("a", "a", "new", "new", 0, -1, 0)]
    [InlineData("a", "a:8k", "new", "new", 2, -1, 2)]
    [InlineData("a", "a:4096:8K", "new", "new:4k", 1, 2, 1)]
    [InlineData("a", "a:8192:4k", "new", "new:1M", 2, 1, 256)]
    [InlineData("a", "a:0k:0m", "new", "new:0g", 0, -1, 0)]
    [InlineData("a:b", "a:b", "c:d:e", "c:d:e", 0, -1, 0)]
    [InlineData("a:b", "a:b:4k", "c:", "c::4k", 1, -1, 1)]
    [InlineData("a:7", "a:7:4k:4k", "c:7", "c:7:0", 1, 1, 0)]
    [InlineData("a:7k:8k", "a:7k:8k:4k:0", "c:12k", "c:12k:8k", 1, -1, 2)]
    [InlineData("a\n", "a\n:4k", "c\n", "c\n", 1, -1, 1)]
    [InlineData(":4k", ":4k", "new", "new", 0, -1, 0)]
    public void Offsets_and_lengths_are_read_from_the_right(
        string name, string source, string destinationName, string destination, int offset, int length, int to)
    {
        File.WriteAllBytes(Path.Combine(_folder, name), _content);

        ShellResult result = Range(source, destination);

        Assert.Equal((0, "", ""), (result.ExitCode, result.Output, result.Error));
        byte[] range = length < 0
            ? _content[(offset * Block)..]
            : _content[(offset * Block)..((offset + length) * Block)];
        Assert.Equal([.. new byte[to * Block], .. range], File.ReadAllBytes(Path.Combine(_folder, destinationName)));
        Assert.Equal(2, Directory.GetFileSystemEntries(_folder).Length);
    }

    [BtrfsFact]
    public void A_refused_range_is_one_line_on_standard_error()
    {
        File.WriteAllBytes(Path.Combine(_folder, "a"), _content);

        ShellResult result = Range("a:100", "new");

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        string line = Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith($"btrfs-clone: {_folder}/a: ", line, StringComparison.Ordinal);
        Assert.Contains("4096", line, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder, "new")));
    }

    private ShellResult Range(string source, string destination) => Shell.Run(
        "sh", "-c", "cd \"$0\" && exec \"$1\" range \"$2\" \"$3\"", _folder, Support.Program.File, source, destination);

    private static byte[] NewContent()
    {
        byte[] content = new byte[(3 * Block) + 100];
        new Random(31).NextBytes(content);
        return content;
    }
}
