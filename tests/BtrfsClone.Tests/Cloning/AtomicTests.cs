using System.Diagnostics;
using BtrfsClone.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>An atomic clone appears at once and whole, or not at all, and leaves nothing else behind.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class AtomicTests(ScratchBtrfs btrfs)
{
    private static readonly CloneOptions s_atomic = new() { Atomic = true };

    private readonly string _folder = btrfs.NewFolder();

    [BtrfsTheory(Needs = RandomTree.Tools + " " + TreeFacts.Tools)]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void A_tree_has_every_field_of_its_source(int seed, bool frozen)
    {
        RandomTree.Make(
            At("source"), seed, new TreeShape { Files = 60, WideEntries = 300, Frozen = frozen && TestMachine.NoRoot is null });

        CloneAndComplete(At("source"), CloneDestination.Named(At("clone")));

        Assert.Equal(["clone", "source"], Names(_folder));
        TreeFacts.Of(At("source")).AssertEqual(TreeFacts.Of(At("clone")), TreeFacts.Unstable(btrfs));
    }

    [BtrfsFact]
    public void Nothing_is_there_before_the_end_and_a_killed_clones_folder_is_private()
    {
        NewFile("source/file");
        using Cloner cloner = new(s_atomic);
        cloner.Clone(At("source"), CloneDestination.Named(At("clone")));

        Assert.False(Directory.Exists(At("clone")));
        string hidden = Assert.Single(Names(_folder), name => name != "source");
        Assert.StartsWith(".btrfs-clone-atomic.", hidden, StringComparison.Ordinal);
        Assert.Equal("700", Shell.Check("stat", "--format=%a", At(hidden)).Trim());

        cloner.Session.Complete();
        Assert.Equal(["clone", "source"], Names(_folder));
    }

    [BtrfsFact]
    public void Without_the_end_nothing_stays()
    {
        NewFile("source/deep/file");
        using (Cloner cloner = new(s_atomic))
        {
            cloner.Clone(At("source"), CloneDestination.Named(At("clone")));
        }

        Assert.Equal(["source"], Names(_folder));
    }

    [BtrfsFact]
    public void Cancelled_while_names_appear_none_of_them_stays()
    {
        const int Items = 500;
        Directory.CreateDirectory(At("source"));
        for (int i = 0; i < Items; i++)
        {
            File.WriteAllText(At($"source/{i}"), "");
        }

        Directory.CreateDirectory(At("into"));
        int inTheMiddle = 0;
        for (int round = 0; round < 200 && inTheMiddle < 5; round++)
        {
            using CancellationTokenSource stop = new();
            using Cloner cloner = new(s_atomic);
            CloneDestination destination = CloneDestination.Into(At("into"));
            for (int i = 0; i < Items; i++)
            {
                cloner.Clone(At($"source/{i}"), destination, stop.Token);
            }

            Task cancelling = Task.Run(() =>
            {
                SpinWait.SpinUntil(() => File.Exists(At("into/0")), TimeSpan.FromSeconds(5));
                stop.Cancel();
            });
            try
            {
                cloner.Session.Complete(cancellation: stop.Token);
            }
            catch (OperationCanceledException)
            {
                inTheMiddle++;
            }

            cancelling.Wait();
            Assert.Contains(Names(At("into")).Length, (int[])[0, Items]);
            Shell.Check("find", At("into"), "-mindepth", "1", "-delete");
        }

        Assert.True(inTheMiddle > 0, "Every round was over before it was cancelled.");
    }

    [BtrfsFact]
    public void One_failed_entry_lets_nothing_appear()
    {
        NewFile("source/good");
        NewFile("source/bad");
        bool Vanish(ReadOnlySpan<string> path, EntryKind kind)
        {
            string name = path[^1];
            if (name == "bad")
            {
                File.Delete(At("source/bad"));
            }

            return true;
        }

        using Cloner cloner = new(s_atomic with { Filter = Vanish });
        Assert.Equal(1, cloner.Clone(At("source"), CloneDestination.Named(At("clone"))).Failed);
        var refusal = Assert.Throws<BtrfsException>(() => cloner.Session.Complete());

        Assert.Equal((BtrfsError.Incomplete, At("clone")), (refusal.Error, refusal.Path));
        Assert.Equal(At("source/bad"), Assert.Single(cloner.Failures).Path);
        Assert.Equal(["source"], Names(_folder));
    }

    [BtrfsFact]
    public void One_failed_item_keeps_the_others_back()
    {
        NewFile("a");
        using Cloner cloner = new(s_atomic);
        CloneDestination into = CloneDestination.Into(At("new/deeper"));
        cloner.Clone(At("a"), into);
        var missing = Assert.Throws<BtrfsException>(() => cloner.Clone(At("missing"), into));
        var refusal = Assert.Throws<BtrfsException>(() => cloner.Session.Complete());

        Assert.Equal(BtrfsError.SourceNotFound, missing.Error);
        Assert.Equal((BtrfsError.Incomplete, At("new/deeper")), (refusal.Error, refusal.Path));
        Assert.Equal(["a"], Names(_folder));
    }

    [BtrfsFact]
    public void A_failure_names_the_place_that_the_entry_was_to_have()
    {
        NewFile("a/same");
        Directory.CreateDirectory(At("b/same"));
        using Cloner cloner = new(s_atomic);
        CloneDestination into = CloneDestination.Into(At("new"));
        cloner.Clone(At("a/same"), into);

        var failure = Assert.Throws<BtrfsException>(() => cloner.Clone(At("b/same"), into));

        Assert.Equal((BtrfsError.JustCreated, At("new/same")), (failure.Error, failure.Path));
    }

    [BtrfsFact]
    public void A_new_directory_appears_with_all_its_items_at_once()
    {
        NewFile("a");
        NewFile("tree/sub/file");
        using Cloner cloner = new(s_atomic);
        CloneDestination into = CloneDestination.Into(At("new/deeper"));
        cloner.Clone(At("a"), into);
        cloner.Clone(At("tree"), into);
        Assert.False(Directory.Exists(At("new")));

        cloner.Session.Complete();

        Assert.Equal(["a", "tree"], Names(At("new/deeper")));
        Assert.True(File.Exists(At("new/deeper/tree/sub/file")));
        Assert.Equal(["a", "new", "tree"], Names(_folder));
        // As mkdir(1) makes a directory: the staging folder's privacy is not handed down.
        Directory.CreateDirectory(At("plain"));
        Assert.Equal(Shell.Check("stat", "--format=%a", At("plain")), Shell.Check("stat", "--format=%a", At("new")));
    }

    [BtrfsFact]
    public void An_existing_directory_receives_items_under_their_own_names()
    {
        NewFile("tree/sub/file");
        NewFile("a");
        NewFile("into/other");

        CloneAndComplete(At("tree"), CloneDestination.Named(At("into")));
        using (Cloner cloner = new(s_atomic))
        {
            cloner.Clone(At("a"), CloneDestination.Into(At("into")));
            cloner.Session.Complete();
        }

        Assert.Equal(["a", "other", "tree"], Names(At("into")));
    }

    [BtrfsFact]
    public void Relative_paths_keep_their_directories()
    {
        NewFile("src/x/y/one");
        NewFile("src/x/two");
        Shell.Check("chmod", "750", At("src/x"));
        using Cloner cloner = new(s_atomic);
        CloneDestination into = CloneDestination.Into(At("new"), At("src"));
        cloner.Clone(At("src/x/y/one"), into);
        cloner.Clone(At("src/x/two"), into);
        cloner.Session.Complete();

        Assert.Equal(["new", "src"], Names(_folder));
        Assert.Equal("", Shell.Check("diff", "-r", At("src"), At("new")));
        Assert.Equal("750", Shell.Check("stat", "--format=%a", At("new/x")).Trim());
    }

    [BtrfsFact]
    public void An_existing_file_is_replaced()
    {
        NewFile("a", "new");
        NewFile("b", "old");

        CloneAndComplete(At("a"), CloneDestination.Named(At("b")));

        Assert.Equal("new", File.ReadAllText(At("b")));
        Assert.Equal(["a", "b"], Names(_folder));
    }

    [BtrfsFact]
    public void What_must_not_be_replaced_is_refused_before_anything_is_written()
    {
        NewFile("a", "new");
        NewFile("b", "old");
        NewFile("dir/tree/file");
        NewFile("tree/file");
        Shell.Check("ln", At("a"), At("same"));
        Directory.CreateDirectory(At("c/a"));
        NewFile("base/dir/file");
        string before = Shell.Check("stat", "--format=%y", _folder, At("dir"), At("c"));

        AssertRefused(BtrfsError.DestinationExists, At("b"), At("a"), At("b"), s_atomic with { NoClobber = true });
        AssertRefused(BtrfsError.SameFile, At("same"), At("a"), At("same"));
        AssertRefused(BtrfsError.DestinationExists, At("dir/tree"), At("tree"), At("dir"));
        AssertRefused(BtrfsError.DestinationExists, At("c/a"), At("a"), At("c"));
        AssertRefused(BtrfsError.DestinationExists, At("b"), At("tree"), At("b"));
        Shell.Check("chmod", "400", At("b"));
        AssertRefused(BtrfsError.DestinationReadOnly, At("b"), At("a"), At("b"));

        using (Cloner cloner = new(s_atomic))
        {
            var refusal = Assert.Throws<BtrfsException>(
                () => cloner.Clone(At("base/dir/file"), CloneDestination.Into(_folder, At("base"))));
            Assert.Equal((BtrfsError.DestinationExists, At("dir")), (refusal.Error, refusal.Path));
        }

        Assert.Equal(before, Shell.Check("stat", "--format=%y", _folder, At("dir"), At("c")));
        Assert.Equal("old", File.ReadAllText(At("b")));
        CloneAndComplete(At("a"), CloneDestination.Named(At("b")), s_atomic with { Force = true });
        Assert.Equal("new", File.ReadAllText(At("b")));
    }

    [BtrfsFact]
    public void A_name_that_is_taken_meanwhile_puts_all_others_back()
    {
        foreach (string name in (string[])["a", "b", "c"])
        {
            NewFile($"src/{name}", "new");
        }

        NewFile("into/a", "old");
        using Cloner cloner = new(s_atomic);
        CloneDestination into = CloneDestination.Into(At("into"));
        foreach (string name in (string[])["a", "b", "c"])
        {
            cloner.Clone(At($"src/{name}"), into);
        }

        NewFile("into/c/somebody's");
        var failure = Assert.Throws<BtrfsException>(() => cloner.Session.Complete());

        Assert.Equal((BtrfsError.DestinationExists, At("into/c")), (failure.Error, failure.Path));
        Assert.Equal(["a", "c"], Names(At("into")));
        Assert.Equal("old", File.ReadAllText(At("into/a")));
        Assert.True(File.Exists(At("into/c/somebody's")));
    }

    [RootFact]
    public void A_frozen_top_directory_appears_and_moves_back()
    {
        NewFile("frozen/file");
        NewFile("z");
        Directory.CreateDirectory(At("into"));
        Shell.Check("chattr", "+i", At("frozen"), At("frozen/file"));
        using (Cloner cloner = new(s_atomic))
        {
            CloneDestination into = CloneDestination.Into(At("into"));
            cloner.Clone(At("frozen"), into);
            cloner.Clone(At("z"), into);
            Directory.CreateDirectory(At("into/z"));
            Assert.Throws<BtrfsException>(() => cloner.Session.Complete());
        }

        Assert.Equal(["z"], Names(At("into")));
        CloneAndComplete(At("frozen"), CloneDestination.Named(At("into")));
        Assert.Equal(2, Shell.Check("lsattr", "-d", At("into/frozen"), At("into/frozen/file")).Split("----i-").Length - 1);
        Shell.Check("chattr", "-R", "-i", At("frozen"), At("into/frozen"));
    }

    [BtrfsFact]
    public void Many_items_appear_and_one_that_cannot_takes_them_all_back()
    {
        Directory.CreateDirectory(At("into"));
        using (Cloner cloner = new(s_atomic))
        {
            CloneDestination into = CloneDestination.Into(At("into"));
            for (int i = 0; i < 2000; i++)
            {
                NewFile($"src/{i}");
                cloner.Clone(At($"src/{i}"), into);
            }

            NewFile("into/1999/x");
            Assert.Throws<BtrfsException>(() => cloner.Session.Complete());
            Assert.Equal(["1999"], Names(At("into")));
        }

        Directory.Delete(At("into/1999"), recursive: true);
        using (Cloner cloner = new(s_atomic))
        {
            CloneDestination into = CloneDestination.Into(At("into"));
            for (int i = 0; i < 2000; i++)
            {
                cloner.Clone(At($"src/{i}"), into);
            }

            cloner.Session.Complete();
        }

        Assert.Equal(2000, Names(At("into")).Length);
    }

    [BtrfsFact]
    public void What_was_cancelled_is_gone()
    {
        for (int i = 0; i < 300; i++)
        {
            NewFile($"source/{i % 7}/{i}");
        }

        using CancellationTokenSource cancellation = new();
        int asked = 0;
        bool Cancel(ReadOnlySpan<string> path, EntryKind kind)
        {
            string name = path[^1];
            if (Interlocked.Increment(ref asked) == 150)
            {
                cancellation.Cancel();
            }

            return true;
        }

        using (Cloner cloner = new(s_atomic with { Filter = Cancel }))
        {
            Assert.Throws<OperationCanceledException>(
                () => cloner.Clone(At("source"), CloneDestination.Named(At("clone")), cancellation.Token));
        }

        Assert.Equal(["source"], Names(_folder));
    }

    [BtrfsFact]
    public void A_killed_runs_folder_is_removed_by_the_next_and_a_live_ones_is_not()
    {
        // A tree that is as hard to remove as one can be: deeper than PATH_MAX, frozen, without permissions.
        NewFile("small/file");
        string path = At("big");
        for (int i = 0; i < 30; i++)
        {
            path = Path.Combine(path, new string('d', 100));
            Directory.CreateDirectory(path);
        }

        for (int i = 0; i < 20_000; i++)
        {
            File.WriteAllText(Path.Combine(path, $"{i}"), "");
        }

        using Process killed = Support.Program.Start("copy", "--atomic", At("big"), At("clone"));
        Assert.True(SpinWait.SpinUntil(() => Names(_folder).Length > 2, TimeSpan.FromSeconds(20)));
        string hidden = Assert.Single(Names(_folder), n => n is not "big" and not "small");
        Assert.True(SpinWait.SpinUntil(() => Directory.Exists(At($"{hidden}/clone")), TimeSpan.FromSeconds(20)));
        Assert.True(Signal.Send(killed, Signal.Stop));

        CloneAndComplete(At("small"), CloneDestination.Named(At("first")));
        Assert.Equal([hidden, "big", "first", "small"], Names(_folder));

        killed.Kill();
        killed.WaitForExit();
        CloneAndComplete(At("small"), CloneDestination.Named(At("second")));
        Assert.Equal(["big", "first", "second", "small"], Names(_folder));
    }

    [BtrfsFact(Needs = "setfattr")]
    public void Only_a_marked_folder_is_taken_for_a_leftover()
    {
        NewFile("small/file");
        NewFile(".btrfs-clone-atomic.0123456789abcdef/precious");
        File.WriteAllText(At(".btrfs-clone-atomic.file"), "precious");
        File.CreateSymbolicLink(At(".btrfs-clone-atomic.link"), At("small"));
        // Who may write in a directory may mark it.
        NewFile(".btrfs-clone-atomic.fedcba9876543210/precious");
        Shell.Check("setfattr", "-n", "user.btrfs-clone.temporary", "-v", "1", At(".btrfs-clone-atomic.fedcba9876543210"));

        CloneAndComplete(At("small"), CloneDestination.Named(At("clone")));

        Assert.True(File.Exists(At(".btrfs-clone-atomic.0123456789abcdef/precious")));
        Assert.True(File.Exists(At(".btrfs-clone-atomic.fedcba9876543210/precious")));
        Assert.True(File.Exists(At(".btrfs-clone-atomic.file")));
        Assert.True(File.Exists(At("small/file")));
    }

    [RootFact(Needs = "setpriv")]
    public void An_ordinary_user_can_clone_a_tree_without_write_permission()
    {
        NewFile("source/sub/file");
        Shell.Check("chown", "-R", "65534:65534", At("source"));
        Shell.Check("chmod", "-R", "a-w", At("source"));
        Shell.Check("chmod", "777", _folder);

        ShellResult result = Shell.Run(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Support.Program.File, "copy", "--atomic",
            At("source"), At("clone"));

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Equal(["clone", "source"], Names(_folder));
        Assert.Equal("555", Shell.Check("stat", "--format=%a", At("clone")).Trim());
        Assert.Equal("", Shell.Check("getfattr", At("clone")));
        TreeFacts.Of(At("source")).AssertEqual(TreeFacts.Of(At("clone")), TreeFacts.Unstable(btrfs));

        // And what it fails to finish it can remove, for all the missing permissions.
        Shell.Check("chmod", "000", At("source/sub/file"));
        result = Shell.Run(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Support.Program.File, "copy", "--atomic",
            At("source"), At("other"));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("nothing was put there", result.Error, StringComparison.Ordinal);
        Assert.Equal(["clone", "source"], Names(_folder));
    }

    [RootFact(Needs = RandomTree.Tools + " " + TreeFacts.Tools)]
    public void A_moment_appears_at_once()
    {
        RandomTree.Make(At("source"), 3, new TreeShape { Files = 40, WideEntries = 100, Depth = 10 });
        TreeFacts before = TreeFacts.Of(At("source"));
        Directory.CreateDirectory(At("into"));

        CloneAndComplete(At("source"), CloneDestination.Named(At("into/new")), s_atomic with { PointInTime = true });

        Assert.Equal(["new"], Names(At("into")));
        Assert.Equal(["into", "source"], Names(_folder));
        before.AssertEqual(TreeFacts.Of(At("into/new")), TreeFacts.Unstable(btrfs));
    }

    [RootFact(Needs = RandomTree.Tools + " " + TreeFacts.Tools)]
    public void What_the_parent_hands_down_is_as_without_staging()
    {
        NewFile("a");
        Directory.CreateDirectory(At("plain"));
        Directory.CreateDirectory(At("atomic"));
        foreach (string parent in (string[])[At("plain"), At("atomic")])
        {
            Shell.Check("chgrp", "12", parent);
            Shell.Check("chmod", "2775", parent);
            Shell.Check("setfacl", "-d", "-m", "u:daemon:rwx,g::rx,o::-", parent);
            Shell.Check("chattr", "+C", parent);
        }

        using (Cloner cloner = new())
        {
            cloner.Clone(At("a"), CloneDestination.Into(At("plain/new/deeper")));
        }

        using (Cloner cloner = new(s_atomic))
        {
            cloner.Clone(At("a"), CloneDestination.Into(At("atomic/new/deeper")));
            cloner.Session.Complete();
        }

        TreeFacts.Of(At("plain")).AssertEqual(TreeFacts.Of(At("atomic")), "mtime", TreeFacts.AccessTime);
    }

    private static void AssertRefused(BtrfsError error, string path, string source, string destination, CloneOptions? options = null)
    {
        using Cloner cloner = new(options ?? s_atomic);
        var refusal = Assert.Throws<BtrfsException>(() => cloner.Clone(source, CloneDestination.Named(destination)));
        Assert.Equal((error, path), (refusal.Error, refusal.Path));
        cloner.Session.Complete();
    }

    private static void CloneAndComplete(string source, CloneDestination destination, CloneOptions? options = null)
    {
        using Cloner cloner = new(options ?? s_atomic);
        cloner.Clone(source, destination);
        cloner.Session.Complete();
        Assert.Empty(cloner.Failures);
    }

    private static string[] Names(string folder) =>
        [.. Directory.EnumerateFileSystemEntries(folder).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)];

    private string At(string name) => Path.Combine(_folder, name);

    private void NewFile(string name, string content = "content")
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllText(At(name), content);
    }
}
