using BtrfsClone.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>Clones of whole subvolumes that are snapshots, and what becomes of subvolumes nested in them.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class SnapshotTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    [RootFact(Needs = RandomTree.Tools + " " + TreeFacts.Tools)]
    public void A_snapshot_with_its_nested_subvolumes_equals_its_source_in_every_field_and_is_writable()
    {
        NewSubvolume("source");
        RandomTree.Make(At("source/tree"), seed: 401);
        NewFile("source/delayed", "not written out yet");
        Shell.Check("touch", "--date", "2001-02-03", At("source"));

        Snapshots taken = Take("source", "snapshot", recurse: true);

        Assert.Empty(taken.LeftEmpty);
        Assert.Equal("not written out yet", File.ReadAllText(At("snapshot/delayed")));
        TreeFacts source = TreeFacts.Of(At("source"));
        TreeFacts snapshot = TreeFacts.Of(At("snapshot"));
        source.AssertEqual(snapshot);
        Assert.Empty(snapshot.Unshared);
        string[] nested = NestedIn("source");
        Assert.NotEmpty(nested);
        Assert.Equal(nested, NestedIn("snapshot"));
        foreach (string path in nested.Prepend(""))
        {
            Assert.Equal(Property("source/" + path, "UUID"), Property("snapshot/" + path, "Parent UUID"));
        }

        Assert.Equal(nested.Length + 1, taken.Result.Snapshots);
        NewFile("snapshot/new", "x");
        Assert.False(File.Exists(At("source/new")));
    }

    [RootFact]
    public void Nested_subvolumes_are_named_and_left_empty()
    {
        NewSubvolume("source");
        foreach (string path in new[] { "a", "b c", "dir/deep/d", "a/below a" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(At("source/" + path))!);
            NewSubvolume("source/" + path);
            NewFile($"source/{path}/file", "x");
        }

        Snapshots taken = Take("source", "snapshot", recurse: false);

        Assert.Equal([At("source/a"), At("source/b c"), At("source/dir/deep/d")], taken.LeftEmpty.Order(StringComparer.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(At("snapshot/a")));
        CloneResult result = taken.Result;
        Assert.Equal((1, TimeSpan.Zero), (result.Snapshots, result.SnapshotSpread));
        Assert.Equal(
            (At("source"), At("snapshot"), nameof(EntryKind.Directory), 0), (result.Source, result.Path, result.Kind, result.Failed));
        Assert.All(
            [result.Files, result.Directories, result.SymbolicLinks, result.HardLinks, result.SpecialFiles, result.Length],
            Assert.Null);
    }

    [RootFact]
    public void Of_many_nested_subvolumes_with_names_of_any_bytes_are_snapshots_which_leave_no_trace_on_times()
    {
        // More than the kernel tells at once, which is 255.
        NewSubvolume("source");
        Shell.Check(
            "sh", "-c",
            "cd \"$1\" && mkdir dir && for i in $(seq 300); do btrfs -q subvolume create dir/$i && echo $i > dir/$i/file; done && " +
            "n=$(printf 'dir/\\377\\n') && btrfs -q subvolume create \"$n\" && echo odd > \"$n/file\" && touch -d 2001-02-03 dir .",
            "sh", At("source"));

        Snapshots taken = Take("source", "snapshot", recurse: true);

        Assert.Empty(taken.LeftEmpty);
        Shell.Check("diff", "--recursive", At("source"), At("snapshot"));
        Assert.Equal(302, taken.Result.Snapshots);
        Assert.Equal(301, Shell.Check("find", At("snapshot"), "-name", "file", "-printf", "x").Length);
        Assert.Equal(302, Shell.Check("find", At("snapshot"), "-inum", "256", "-printf", "x").Length);
        string times = Shell.Check("stat", "--format=%y", At("source/dir"), At("source"));
        Assert.Equal(times, Shell.Check("stat", "--format=%y", At("snapshot/dir"), At("snapshot")));
    }

    [RootFact]
    public void A_snapshot_may_lie_below_its_source_and_leaves_the_nested_subvolume_empty_that_it_is_in()
    {
        NewSubvolume("source");
        NewSubvolume("source/snapshots");
        NewSubvolume("source/other");
        NewFile("source/other/file", "x");
        NewFile("source/snapshots/file", "x");
        using Cloner cloner = new();
        List<string> leftEmpty = [];
        SnapshotClone snapshots = new(cloner.Session, new SnapshotOptions { Recurse = true }, leftEmpty.Add);

        CloneResult result = snapshots.Clone(
            At("source"), CloneDestination.Into(At("source/snapshots")), CancellationToken.None);

        Assert.Empty(cloner.Failures);
        Assert.Equal([At("source/snapshots")], leftEmpty);
        Assert.Equal((0, 2), (result.Failed, result.Snapshots));
        Assert.Equal(At("source/snapshots/source"), result.Path);
        Assert.Equal("x", File.ReadAllText(At("source/snapshots/source/other/file")));
        Assert.Empty(Directory.GetFileSystemEntries(At("source/snapshots/source/snapshots")));

        // In the subvolume itself: what is new there is no part of what it was.
        Snapshots beside = Take("source", "source/new", recurse: true);
        Assert.Empty(beside.LeftEmpty);
        Assert.Equal(5, beside.Result.Snapshots);
        Assert.False(Path.Exists(At("source/new/new")));
        Assert.Equal("x", File.ReadAllText(At("source/new/snapshots/source/other/file")));
    }

    [RootTheory(Needs = TreeFacts.Tools)]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_no_subvolume_or_in_the_way_is_refused(bool recurse)
    {
        NewSubvolume("source");
        NewFile("source/dir/file", "x");
        NewSubvolume("existing");
        NewFile("file", "x");
        File.CreateSymbolicLink(At("link"), "source");
        using ScratchImage other = new(1L << 28, "noatime", "mkfs.btrfs", "--quiet");
        TreeFacts before = TreeFacts.Of(_folder);
        using Cloner cloner = new();
        SnapshotClone snapshots = new(cloner.Session, new SnapshotOptions { Recurse = recurse }, path => Assert.Fail(path));

        AssertRefused(BtrfsError.NotSubvolume, "source/dir", "new");
        AssertRefused(BtrfsError.NotSubvolume, "file", "new");
        AssertRefused(BtrfsError.NotSubvolume, "link", "new");
        AssertRefused(BtrfsError.NotSubvolume, "/proc/self", "new");
        AssertRefused(BtrfsError.SourceNotFound, "missing", "new");
        AssertRefused(BtrfsError.DestinationNotFound, "source", "missing/new");
        AssertRefused(BtrfsError.CrossDevice, "source", Path.Combine(other.Root, "new"));
        Assert.Equal(
            BtrfsError.DestinationExists,
            Assert.Throws<BtrfsException>(
                () => snapshots.Clone(At("source"), CloneDestination.Into(_folder), CancellationToken.None)).Error);
        Assert.Empty(Directory.GetFileSystemEntries(other.Root));
        before.AssertEqual(TreeFacts.Of(_folder));

        void AssertRefused(BtrfsError error, string source, string destination) => Assert.Equal(
            error,
            Assert.Throws<BtrfsException>(() => snapshots.Clone(
                At(source), CloneDestination.Named(At(destination)), CancellationToken.None)).Error);
    }

    [RootFact(Needs = "setpriv")]
    public void A_plain_user_may_take_snapshots_of_own_subvolumes_only()
    {
        NewSubvolume("own");
        NewSubvolume("theirs");
        NewFile("own/file", "x");
        Shell.Check("chown", "--recursive", "65534:65534", _folder);
        Shell.Check("chown", "0:0", At("theirs"));

        ShellResult own = RunAsNobody("copy", "--snapshot", At("own"), At("snapshot"));
        ShellResult theirs = RunAsNobody("copy", "--snapshot", At("theirs"), At("refused"));

        Assert.Equal(new ShellResult(0, "", ""), own);
        Assert.Equal("x", File.ReadAllText(At("snapshot/file")));
        Assert.Equal(1, theirs.ExitCode);
        Assert.StartsWith($"btrfs-clone: {At("theirs")}: permission denied: ", theirs.Error, StringComparison.Ordinal);
        Assert.Contains("root or the owner of the subvolume's root directory", theirs.Error, StringComparison.Ordinal);
    }

    [RootFact]
    public void The_program_names_nested_subvolumes_and_refuses_what_makes_no_sense()
    {
        NewSubvolume("source");
        NewSubvolume("source/nested");
        NewFile("source/nested/file", "x");

        ShellResult warned = Program.Run("copy", "--snapshot", At("source"), At("snapshot"));
        ShellResult recursed = Program.Run("copy", "--snapshot", "--recurse", At("source"), At("all"));

        Assert.Equal((0, ""), (warned.ExitCode, warned.Output));
        Assert.StartsWith($"btrfs-clone: {At("source/nested")}: nested subvolume: ", warned.Error, StringComparison.Ordinal);
        Assert.Equal((0, ""), (recursed.ExitCode, recursed.Error));
        Assert.Matches(@"^2 snapshots, \d+ ms from the first to the last\n$", recursed.Output);
        Assert.Equal("x", File.ReadAllText(At("all/nested/file")));
        ShellResult json = Program.Run("copy", "--snapshot", "--recurse", "--json", At("source"), At("told"));
        Assert.Contains($"\"Path\":\"{At("told")}\"", json.Output, StringComparison.Ordinal);
        Assert.Contains("\"Snapshots\":2,\"SnapshotSpread\":\"00:00:0", json.Output, StringComparison.Ordinal);
        Assert.Equal(1, json.Output.Count(c => c == '\n'));
        ShellResult readOnly = Program.Run("copy", "--read-only", At("source"), At("refused"));
        Assert.Equal((2, ""), (readOnly.ExitCode, readOnly.Output));
        Assert.Contains("--read-only is for a --snapshot", readOnly.Error, StringComparison.Ordinal);
        string[] options =
            ["--include=x", "--exclude=x", "--relative-base=.", "--force", "--atomic", "--point-in-time", "--reflink=auto"];
        foreach (string option in options)
        {
            ShellResult refused = Program.Run("copy", "--snapshot", option, At("source"), At("refused"));
            Assert.Equal((2, ""), (refused.ExitCode, refused.Output));
            Assert.Contains("cannot be used together", refused.Error, StringComparison.Ordinal);
        }

        Assert.False(Directory.Exists(At("refused")));
    }

    private static ShellResult RunAsNobody(params string[] arguments) => Shell.Run(
        "setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", Program.File, .. arguments]);

    private sealed record Snapshots(CloneResult Result, IReadOnlyList<string> LeftEmpty);

    private Snapshots Take(string source, string target, bool recurse)
    {
        List<string> leftEmpty = [];
        using Cloner cloner = new();
        SnapshotClone snapshots = new(cloner.Session, new SnapshotOptions { Recurse = recurse }, leftEmpty.Add);
        CloneResult result = snapshots.Clone(At(source), CloneDestination.Named(At(target)), CancellationToken.None);
        Assert.Empty(cloner.Failures);
        return new Snapshots(result, leftEmpty);
    }

    private string Property(string subvolume, string name) =>
        Shell.Check("btrfs", "subvolume", "show", At(subvolume)).Split('\n')
            .Select(line => line.Trim()).Single(line => line.StartsWith(name + ":", StringComparison.Ordinal))[(name.Length + 1)..].Trim();

    private string[] NestedIn(string subvolume) =>
        [.. Shell.Check("find", At(subvolume), "-mindepth", "1", "-inum", "256", "-type", "d", "-printf", "%P\\0")
            .Split('\0', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];

    private void NewSubvolume(string path) => Shell.Check("btrfs", "subvolume", "create", At(path));

    private string At(string path) => Path.Combine(_folder, path);

    private void NewFile(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllText(At(path), content);
    }
}
