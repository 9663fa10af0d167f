using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using BtrfsClone.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>Snapshots of subvolumes with those nested in them: all or none, and read-only where that is asked for.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed partial class SnapshotSetTests(ScratchBtrfs btrfs)
{
    private static readonly string[] s_nested = ["a", "dir/b", "dir/b/dir/c", "dir/b/dir/c/d"];

    private readonly string _folder = btrfs.NewFolder();

    [RootTheory(Needs = TreeFacts.Tools)]
    [InlineData(true)]
    [InlineData(false)]
    public void All_are_read_only_or_writable_whatever_their_sources_are(bool readOnly)
    {
        NewTree();
        foreach (string path in s_nested.Append("."))
        {
            Shell.Check("btrfs", "property", "set", At("source/" + path), "ro", "true");
        }

        CloneResult result = Take(readOnly);

        Assert.Equal(5, result.Snapshots);
        TreeFacts.Of(At("source")).AssertEqual(TreeFacts.Of(At("set")));
        Assert.All(s_nested.Append("."), path => Assert.Equal(
            $"ro={(readOnly ? "true" : "false")}\n", Shell.Check("btrfs", "property", "get", At("set/" + path), "ro")));
    }

    [RootFact]
    public void What_a_received_subvolume_is_known_by_becomes_of_each_snapshot_what_btrfs_makes_of_it()
    {
        NewTree();
        Shell.Check("btrfs", "property", "set", At("source/a"), "ro", "true");
        Directory.CreateDirectory(At("source/received"));
        Shell.Check("sh", "-c", "btrfs send -q \"$1\" | btrfs receive -q \"$2\"", "sh", At("source/a"), At("source/received"));
        Assert.NotEqual("-", Property("source/received/a", "Received UUID"));
        foreach (bool readOnly in (bool[])[true, false])
        {
            string[] kind = readOnly ? ["-r"] : [];
            Shell.Check("btrfs", ["subvolume", "snapshot", .. kind, At("source/received/a"), At($"witness {readOnly}")]);
            Take(readOnly, $"set {readOnly}");

            string uuid = Property($"set {readOnly}/received/a", "Received UUID");
            Assert.Equal(Property($"witness {readOnly}", "Received UUID"), uuid);
            Assert.Equal(readOnly, uuid != "-");
        }
    }

    [RootFact(Needs = SwapFile.Tools)]
    public void Where_one_cannot_be_taken_none_stays_and_the_error_names_it()
    {
        NewTree();
        using SwapFile swap = new(At("source/dir/b/dir/c/swap"));

        BtrfsException failure = AssertNothing(new SnapshotOptions { Recurse = true, ReadOnly = true });

        Assert.Equal((BtrfsError.SwapFile, At("source/dir/b/dir/c")), (failure.Error, failure.Path));
    }

    [RootFact]
    public void A_subvolume_that_a_mount_hides_is_named_and_none_is_taken()
    {
        NewTree();
        Shell.Check("mount", "-t", "tmpfs", "hidden", At("source/dir"));
        try
        {
            BtrfsException failure = AssertNothing(new SnapshotOptions { Recurse = true });
            Assert.Equal((BtrfsError.MountInBetween, At("source/dir/b")), (failure.Error, failure.Path));
        }
        finally
        {
            Shell.Check("umount", At("source/dir"));
        }

        // One that is mounted over itself is the same.
        Shell.Check("mount", "--bind", At("source/dir/b"), At("source/dir/b"));
        try
        {
            Assert.Equal(5, Take(readOnly: false).Snapshots);
        }
        finally
        {
            Shell.Check("umount", At("source/dir/b"));
        }

        Shell.Check("diff", "--recursive", At("source"), At("set"));
    }

    [RootFact]
    public void Cancelled_none_stays()
    {
        NewTree();
        NewSubvolume("source/into");
        using CancellationTokenSource cancellation = new();
        using Cloner cloner = new();
        SnapshotClone snapshots = new(cloner.Session, new SnapshotOptions { Recurse = true }, _ => cancellation.Cancel());
        NewSubvolume("source/last");
        string[] before = Subvolumes();

        Assert.Throws<OperationCanceledException>(
            () => snapshots.Clone(At("source"), CloneDestination.Named(At("source/into/set")), cancellation.Token));

        Assert.Empty(cloner.Failures);
        Assert.Equal(before, Subvolumes());
        Assert.Empty(Directory.GetFileSystemEntries(At("source/into")));
    }

    [RootTheory]
    [InlineData("btrfs subvolume delete last")]
    [InlineData("mv last elsewhere")]
    [InlineData("btrfs subvolume delete last && btrfs subvolume create last")]
    [InlineData("btrfs subvolume delete last && mkdir last")]
    public void Of_what_goes_meanwhile_none_stays(string command)
    {
        BtrfsException failure = Assert.Throws<BtrfsException>(() => TakeWhile(command));

        Assert.True(failure.Error is BtrfsError.SourceNotFound or BtrfsError.ChangedMeanwhile, failure.Message);
        Assert.Equal(At("source/last"), failure.Path);
        Assert.Empty(Directory.GetFileSystemEntries(At("source/into")));
    }

    [RootFact]
    public void What_comes_meanwhile_is_no_part_of_it()
    {
        CloneResult result = TakeWhile("btrfs subvolume create new && btrfs subvolume create a/new");

        Assert.Equal(["a", "dir", "file", "into", "last"], Names("source/into/set"));
        Assert.Equal(["file"], Names("source/into/set/a"));
        Assert.Equal(6, result.Snapshots);

        string[] Names(string path) =>
            [.. Directory.GetFileSystemEntries(At(path)).Select(e => Path.GetFileName(e)).Order(StringComparer.Ordinal)];
    }

    [RootTheory]
    [InlineData(Signal.Interrupt)]
    [InlineData(Signal.Terminate)]
    [InlineData(Signal.Kill)]
    public void Stopped_none_stays_and_killed_none_has_its_name(int signal)
    {
        NewSubvolume("source");
        Shell.Check("sh", "-c", "cd \"$1\" && for i in $(seq 80); do btrfs -q subvolume create $i; done", "sh", At("source"));
        string[] before = Subvolumes();
        using Process process = Program.Start("copy", "--snapshot", "--recurse", At("source"), At("set"));
        Assert.True(SpinWait.SpinUntil(() => Hidden().Length > 0 || process.HasExited, TimeSpan.FromSeconds(30)));
        Assert.True(Signal.Send(process, Signal.Stop));
        Assert.True(Signal.Send(process, signal));
        Signal.Send(process, Signal.Continue); // Killed, it is gone already.
        process.WaitForExit();

        Assert.Equal(128 + signal, process.ExitCode);
        Assert.False(Path.Exists(At("set")));
        Assert.Equal(signal == Signal.Kill ? 1 : 0, Hidden().Length);
        Assert.Equal(signal != Signal.Kill, before.SequenceEqual(Subvolumes()));

        string[] Hidden() => Directory.GetFileSystemEntries(_folder, ".btrfs-clone.*");
    }

    [RootFact(Needs = "chattr lsattr " + TreeFacts.Tools)]
    public void What_is_immutable_or_nobody_may_write_in_is_the_same_in_the_snapshots()
    {
        NewTree();
        Shell.Check("chmod", "0555", At("source/dir"), At("source/dir/b"));
        string[] immutable = [At("source/dir"), At("source/dir/b/dir"), At("source/dir/b/dir/c"), At("source")];
        Shell.Check("chattr", ["+i", .. immutable]);
        try
        {
            Take(readOnly: true);

            TreeFacts.Of(At("source")).AssertEqual(TreeFacts.Of(At("set")));
            Assert.Equal("ro=true\n", Shell.Check("btrfs", "property", "get", At("set"), "ro"));
        }
        finally
        {
            Shell.Check("chattr", ["-i", .. immutable]);
            foreach (string path in s_nested.Append("."))
            {
                Shell.Run("btrfs", "property", "set", At("set/" + path), "ro", "false");
            }

            Shell.Run("chattr", "-R", "-i", At("set"));
        }
    }

    [RootFact]
    public void Deep_nests_and_wide_ones_are_whole()
    {
        // Deeper than a path can be that is given whole, which is 4095 bytes.
        string name = new('n', 200);
        NewSubvolume("source");
        Shell.Check(
            "sh", "-c", "cd \"$1\" && for i in $(seq 25); do btrfs -q subvolume create $2 && cd -P $2 && echo $i > file; done",
            "sh", At("source"), name);

        CloneResult result = Take(readOnly: false);

        Assert.Equal(26, result.Snapshots);
        Assert.Equal(Listing("source"), Listing("set"));
        Shell.Check("sh", "-c", "cd \"$1\" && for i in $(seq 25); do cd -P $2; grep -q ^$i file || exit 1; done", "sh", At("set"), name);

        string Listing(string path) => Shell.Check("find", At(path), "-mindepth", "1", "-printf", "%d %f %i %m %T@\n");
    }

    [RootFact(Needs = "setpriv " + TreeFacts.Tools)]
    public void A_plain_user_may_take_all_or_gets_none()
    {
        NewTree();
        Shell.Check("chown", "--recursive", "65534:65534", _folder);
        Shell.Check("chmod", "0555", At("source"), At("source/dir"), At("source/dir/b"));

        ShellResult own = RunAsNobody("copy", "--snapshot", "--recurse", "--read-only", At("source"), At("set"));

        Assert.Equal((0, ""), (own.ExitCode, own.Error));
        TreeFacts.Of(At("source")).AssertEqual(TreeFacts.Of(At("set")));
        Assert.Equal("ro=true\n", Shell.Check("btrfs", "property", "get", At("set/dir/b"), "ro"));

        Shell.Check("chown", "0:0", At("source/dir/b/dir/c"));
        string[] before = Subvolumes();
        ShellResult theirs = RunAsNobody("copy", "--snapshot", "--recurse", "--read-only", At("source"), At("refused"));

        Assert.Equal((1, ""), (theirs.ExitCode, theirs.Output));
        Assert.StartsWith($"btrfs-clone: {At("source/dir/b/dir/c")}: permission denied: ", theirs.Error, StringComparison.Ordinal);
        Assert.Single(theirs.Error.TrimEnd('\n').Split('\n'));
        Assert.Equal(before, Subvolumes());
        Assert.Equal(["set", "source"], Directory.GetFileSystemEntries(_folder).Select(e => Path.GetFileName(e)).Order());
    }

    [RootFact]
    public void How_far_apart_they_are_is_what_the_filesystem_has_recorded()
    {
        NewTree();
        NewSubvolume("other");
        using Cloner cloner = new();
        SnapshotClone snapshots = new(cloner.Session, new SnapshotOptions { Recurse = true }, path => Assert.Fail(path));

        CloneResult result = snapshots.Clone(At("source"), CloneDestination.Named(At("set")), CancellationToken.None);
        Assert.Equal((5, result.SnapshotSpread), (snapshots.Count, snapshots.Spread));
        Thread.Sleep(100);
        CloneResult other = snapshots.Clone(At("other"), CloneDestination.Named(At("later")), CancellationToken.None);

        Dictionary<string, long> created = Created();
        long[] set = [.. s_nested.Append(".").Select(path => created[TreeOf("set/" + path)])];
        long later = created[TreeOf("later")];
        Assert.Equal(set.Max() - set.Min(), result.SnapshotSpread!.Value.Ticks);
        Assert.Equal((1, TimeSpan.Zero), (other.Snapshots, other.SnapshotSpread));
        Assert.Equal((6, later - set.Min()), (snapshots.Count, snapshots.Spread.Ticks));
        Assert.True(snapshots.Spread > TimeSpan.FromMilliseconds(50));
    }

    /// <summary>When each subvolume was made, in ticks of 100 ns, by the number of its tree.</summary>
    private Dictionary<string, long> Created()
    {
        Shell.Check("btrfs", "filesystem", "sync", _folder);
        string dump = Shell.Check("btrfs", "inspect-internal", "dump-tree", "--noscan", "-t", "root", btrfs.Device);
        return RootItem().Matches(dump).ToDictionary(
            match => match.Groups["tree"].Value,
            match => (long.Parse(match.Groups["seconds"].Value, CultureInfo.InvariantCulture) * TimeSpan.TicksPerSecond) +
                (long.Parse(match.Groups["nanoseconds"].Value, CultureInfo.InvariantCulture) / 100));
    }

    [GeneratedRegex(
        @"item \d+ key \((?<tree>\d+) ROOT_ITEM \d+\) itemoff.*?otime (?<seconds>\d+)\.(?<nanoseconds>\d+)",
        RegexOptions.Singleline)]
    private static partial Regex RootItem();

    private string TreeOf(string path) => Shell.Check("btrfs", "inspect-internal", "rootid", At(path)).Trim();

    private BtrfsException AssertNothing(SnapshotOptions options)
    {
        string[] before = Subvolumes();
        using Cloner cloner = new();
        SnapshotClone snapshots = new(cloner.Session, options, path => Assert.Fail(path));
        BtrfsException failure = Assert.Throws<BtrfsException>(
            () => snapshots.Clone(At("source"), CloneDestination.Named(At("set")), CancellationToken.None));
        Assert.Empty(cloner.Failures);
        Assert.Equal(before, Subvolumes());
        Assert.Equal([At("source")], Directory.GetFileSystemEntries(_folder));
        return failure;
    }

    private CloneResult Take(bool readOnly, string target = "set")
    {
        using Cloner cloner = new();
        SnapshotClone snapshots = new(
            cloner.Session, new SnapshotOptions { Recurse = true, ReadOnly = readOnly }, path => Assert.Fail(path));
        CloneResult result = snapshots.Clone(At("source"), CloneDestination.Named(At(target)), CancellationToken.None);
        Assert.Empty(cloner.Failures);
        return result;
    }

    /// <summary>
    /// Takes a set in a nested subvolume of its source, and runs a command in the source when that one's turn comes, which is
    /// told, before that of "last".
    /// </summary>
    private CloneResult TakeWhile(string command)
    {
        NewTree();
        NewSubvolume("source/into");
        NewSubvolume("source/last");
        using Cloner cloner = new();
        SnapshotClone snapshots = new(
            cloner.Session, new SnapshotOptions { Recurse = true },
            _ => Shell.Check("sh", "-ec", $"cd '{At("source")}' && {command}"));
        CloneResult result = snapshots.Clone(At("source"), CloneDestination.Named(At("source/into/set")), CancellationToken.None);
        Assert.Empty(cloner.Failures);
        return result;
    }

    private void NewTree()
    {
        NewSubvolume("source");
        File.WriteAllText(At("source/file"), "x");
        foreach (string path in s_nested)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(At("source/" + path))!);
            NewSubvolume("source/" + path);
            File.WriteAllText(At($"source/{path}/file"), path);
        }

        Shell.Check("touch", "--date", "2001-02-03", At("source/dir/b/dir"), At("source/dir/b"), At("source/dir"), At("source"));
    }

    private string[] Subvolumes() => Shell.Check("btrfs", "subvolume", "list", "-u", btrfs.Root).Split('\n')
        .Select(line => line.Split(" uuid ")[^1]).Order(StringComparer.Ordinal).ToArray();

    private string Property(string subvolume, string name) =>
        Shell.Check("btrfs", "subvolume", "show", At(subvolume)).Split('\n')
            .Select(line => line.Trim()).Single(line => line.StartsWith(name + ":", StringComparison.Ordinal))[(name.Length + 1)..].Trim();

    private void NewSubvolume(string path) => Shell.Check("btrfs", "subvolume", "create", At(path));

    private static ShellResult RunAsNobody(params string[] arguments) => Shell.Run(
        "setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", Program.File, .. arguments]);

    private string At(string path) => Path.Combine(_folder, path);
}
