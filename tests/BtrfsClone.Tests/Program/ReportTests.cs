using System.Text.Json;
using BtrfsClone.Reporting;
using BtrfsClone.Tests.Reporting;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary><c>btrfs-clone report</c> as a process, and what stays when it fails.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class ReportTests(ScratchBtrfs btrfs)
{
    private const int Block = 4096;

    private readonly string _folder = btrfs.NewFolder();

    private string Output => Path.Combine(_folder, "out/usage.html");

    [RootFact(Needs = "cp sync")]
    public void Tells_what_each_directory_holds_alone_inside_and_outside()
    {
        MakeTree();

        ShellResult result = Run(PathOf("tree"), "--output", Output, "--json");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        using JsonDocument json = JsonDocument.Parse(result.Output);
        Assert.Equal(Output, json.RootElement.GetProperty("Path").GetString());
        Assert.Equal(7, json.RootElement.GetProperty("Files").GetInt64());
        Assert.Equal(4, json.RootElement.GetProperty("Directories").GetInt64());
        Assert.Equal(17 * Block, json.RootElement.GetProperty("Length").GetInt64());
        Assert.Equal((11 * Block) + 10, json.RootElement.GetProperty("DiskLength").GetInt64());
        Assert.Equal(9 * Block, json.RootElement.GetProperty("ReclaimableLength").GetInt64());
        PageData page = new(Output);
        Assert.Equal((11, 5, 4), Blocks(page, "tree"));
        Assert.Equal((7, 1, 4), Blocks(page, "tree/a"));
        Assert.Equal((6, 4, 0), Blocks(page, "tree/b"));
        Assert.Equal((4, 0, 0), Blocks(page, "tree/b/deep"));
        Assert.Equal((4, 0, 0), Blocks(page, "tree/a/twin"));
        Assert.Equal(10, page.Entries.Single(entry => entry.Path == PathOf("tree/a/small"))["inline"]);
        string[] pairs =
        [
            $"{PathOf("tree/a")} {PathOf("tree/b")} {2 * Block}", $"elsewhere {PathOf("tree/a")} {2 * Block}",
            $"elsewhere {PathOf("tree/b")} {2 * Block}",
        ];
        Assert.Equal(
            pairs.Select(pair => string.Join(' ', pair.Split(' ').Order(StringComparer.Ordinal))).Order(StringComparer.Ordinal),
            page.Pairs().Select(pair => string.Join(' ', pair.Split(' ').Order(StringComparer.Ordinal))).Order(StringComparer.Ordinal));
    }

    [RootFact]
    public void What_is_there_is_replaced_on_request_and_keeps_its_permissions()
    {
        Directory.CreateDirectory(PathOf("out"));
        Directory.CreateDirectory(PathOf("tree"));
        File.WriteAllText(Output, "old");
        Native.Chmod(Output, 0b110_000_000);

        ShellResult refused = Run(PathOf("tree"), "-o", Output);

        Assert.Equal((1, ""), (refused.ExitCode, refused.Output));
        Assert.Contains($"{Output}: the file exists and is left as it is: Use --force", refused.Error, StringComparison.Ordinal);
        Assert.Equal("old", File.ReadAllText(Output));

        ShellResult replaced = Run(PathOf("tree"), "-o", Output, "--force");

        Assert.Equal(new ShellResult(0, "", ""), replaced);
        Assert.StartsWith("<!DOCTYPE html>", File.ReadAllText(Output), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Output));
        Assert.Equal([Output], Directory.GetFileSystemEntries(PathOf("out")));
    }

    [RootFact]
    public void What_cannot_be_the_page_is_said_before_anything_is_measured()
    {
        Directory.CreateDirectory(PathOf("tree"));
        AssertFails("the destination's directory does not exist", PathOf("tree"), "--output", PathOf("missing/usage.html"));
        AssertFails("something is there that is no regular file", PathOf("tree"), "--output", PathOf("tree"), "--force");
        AssertFails("it is a directory", PathOf("tree"), "--output", PathOf("tree") + "/");
        File.CreateSymbolicLink(PathOf("link"), PathOf("target"));
        AssertFails("something is there that is no regular file", PathOf("tree"), "--output", PathOf("link"), "--force");
        Assert.False(Path.Exists(PathOf("target")));
    }

    [RootFact(Needs = "setpriv")]
    public void What_is_no_directory_and_who_is_not_root_gets_no_page()
    {
        Directory.CreateDirectory(PathOf("out"));
        Directory.CreateDirectory(PathOf("tree"));
        File.WriteAllText(PathOf("file"), "");
        Native.Chmod(PathOf("out"), 0b111_111_111);

        AssertFails("a report is about directories", PathOf("file"), "--output", Output);
        AssertFails("no such file or directory", PathOf("missing"), "--output", Output);
        AssertFails("the filesystem is not btrfs", "/proc/sys", "--output", Output);
        ShellResult result = Shell.Run(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Support.Program.File, "report", PathOf("tree"),
            "--output", Output);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("needs CAP_SYS_ADMIN: run as root", result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(PathOf("out")));

        result = Run(PathOf("missing"), PathOf("tree"), "--output", Output);
        Assert.Equal(1, result.ExitCode);
        Assert.Single(new PageData(Output).Entries, entry => entry.Path == PathOf("tree"));
    }

    [RootFact(Needs = Injection.Tools)]
    public void What_cannot_be_read_is_told_on_the_page_and_the_rest_is_there()
    {
        MakeTree();
        int told = 0;
        Injection.RunAtEach(
            "getdents64", "EIO", () => ["report", PathOf("tree"), "--output", Output, "--force"], (place, result) =>
            {
                Assert.Equal((place, 1), (place, result.ExitCode));
                JsonElement json = new PageData(Output).Json;
                Assert.Equal((place, 1), (place, json.GetProperty("failed").GetInt64()));
                string failure = json.GetProperty("failures")[0].GetString()!;
                Assert.StartsWith($"'{PathOf("tree")}", failure, StringComparison.Ordinal);
                Assert.Contains("getdents64", failure, StringComparison.Ordinal);
                told++;
            },
            path: PathOf("tree/b"));
        Assert.True(told > 0);
    }

    [RootFact(Needs = Injection.Tools)]
    public void A_page_that_cannot_be_written_leaves_what_was_there_and_nothing_else()
    {
        MakeTree();
        File.WriteAllText(Output, "old");
        int failed = 0;
        foreach ((string call, string error) in new[] { ("pwrite64", "ENOSPC"), ("renameat", "EIO") })
        {
            Injection.RunAtEach(call, error, () => ["report", PathOf("tree"), "--output", Output, "--force"], (place, result) =>
            {
                Assert.Equal((call, place, 1, ""), (call, place, result.ExitCode, result.Output));
                Assert.Contains($"btrfs-clone: {Output}: ", result.Error, StringComparison.Ordinal);
                Assert.Equal("old", File.ReadAllText(Output));
                Assert.Equal([Output], Directory.GetFileSystemEntries(PathOf("out")));
                failed++;
            });
            File.WriteAllText(Output, "old");
        }

        Assert.True(failed >= 2);
    }

    [RootFact(Needs = Injection.Tools)]
    public void Killed_while_it_writes_the_page_it_leaves_no_file()
    {
        MakeTree();
        File.WriteAllText(Output, "old");
        ShellResult result = Injection.Run(
            "pwrite64:signal=KILL:when=1", out _, "report", PathOf("tree"), "--output", Output, "--force");

        Assert.Equal(137, result.ExitCode);
        Assert.Equal("old", File.ReadAllText(Output));
        Assert.Equal([Output], Directory.GetFileSystemEntries(PathOf("out")));
    }

    [RootFact]
    public void Who_cancels_gets_no_page()
    {
        MakeTree();
        using CancellationTokenSource cancellation = new();
        var events = new SessionEvents
        {
            OnFailure = failure => Assert.Fail(failure.Message),
            OnTick = cancellation.Cancel,
        };
        using ReportSession session = new(new ReportOptions { Output = Output }, events);
        session.Add(PathOf("tree"));

        Assert.ThrowsAny<OperationCanceledException>(() => session.Write(cancellation.Token));

        Assert.Empty(Directory.GetFileSystemEntries(PathOf("out")));
    }

    [RootFact(Needs = "cp sync")]
    public void Directories_in_each_other_are_shown_once_and_many_at_the_top_are_one()
    {
        MakeTree();
        for (int i = 0; i < 60; i++)
        {
            Directory.CreateDirectory(PathOf($"tree/many/{i:d2}"));
            Shell.Check("cp", "--reflink=always", PathOf("tree/b/own"), PathOf($"tree/many/{i:d2}/file"));
        }

        File.CreateSymbolicLink(PathOf("other-way"), PathOf("tree"));
        Shell.Check("sync", "--file-system", _folder);

        Assert.Equal(0, Run(PathOf("tree/many/07"), PathOf("other-way/many"), PathOf("tree/many"), "--output", Output).ExitCode);

        PageData page = new(Output);
        Assert.Equal(60, page.Entries[0]["files"]);
        Assert.Equal(4 * Block, page.Entries[0]["data"]);
        Assert.Equal((40 * 39 / 2) + 40 + 40 + 1, page.Pairs().Count());
        Assert.All(page.Pairs(), pair => Assert.EndsWith($" {4 * Block}", pair, StringComparison.Ordinal));
        Assert.Contains($"elsewhere rest {4 * Block}", page.Pairs());
    }

    private static ShellResult Run(params string[] arguments) => Support.Program.Run(["report", .. arguments]);

    private (long Data, long Alone, long Inside) Blocks(PageData page, string path)
    {
        PageEntry entry = page.Entries.Single(entry => entry.Path == PathOf(path));
        return (entry["data"] / Block, entry["alone"] / Block, entry["inside"] / Block);
    }

    private static void AssertFails(string text, params string[] arguments)
    {
        ShellResult result = Run(arguments);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains(text, result.Error, StringComparison.Ordinal);
    }

    /// <summary>
    /// In <c>a</c> one block alone, four that two files share, two that a file outside and one in <c>b</c> share. In <c>b</c>
    /// besides, four alone, of which <c>b/deep</c> has another name.
    /// </summary>
    private void MakeTree()
    {
        Directory.CreateDirectory(PathOf("out"));
        Directory.CreateDirectory(PathOf("tree/a"));
        Directory.CreateDirectory(PathOf("tree/b/deep"));
        Write("tree/a/own", 1);
        Write("tree/a/pair", 4);
        Write("tree/a/wide", 2);
        Write("tree/b/own", 4);
        File.WriteAllBytes(PathOf("tree/a/small"), new byte[10]);
        Shell.Check("sync", "--file-system", _folder);
        Shell.Check("cp", "--reflink=always", PathOf("tree/a/pair"), PathOf("tree/a/twin"));
        Shell.Check("cp", "--reflink=always", PathOf("tree/a/wide"), PathOf("tree/b/wide"));
        Shell.Check("cp", "--reflink=always", PathOf("tree/a/wide"), PathOf("outside"));
        Native.Link(PathOf("tree/b/own"), PathOf("tree/b/deep/again"));
        Shell.Check("sync", "--file-system", _folder);
    }

    private void Write(string name, int blocks) => File.WriteAllBytes(PathOf(name), new byte[blocks * Block]);

    private string PathOf(string name) => Path.Combine(_folder, name);
}
