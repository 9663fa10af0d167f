using System.Diagnostics;
using BtrfsClone.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>The temporary snapshots of clones of one moment never stay, and nothing else goes with them.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class PointInTimeRemovalTests(ScratchBtrfs btrfs) : PointInTimeTestBase(btrfs)
{
    [RootFact]
    public void An_atomic_clone_appears_once_the_snapshot_is_gone()
    {
        NewFile("source/dir/file", "before");
        using (Cloner cloner = new(Moment with { Atomic = true }))
        {
            cloner.Clone(At("source"), CloneDestination.Into(At("new/clones")));
            Assert.Equal(1, TemporarySnapshots());
            Assert.False(Directory.Exists(At("new")));
            cloner.Session.Complete();
            AssertNothingStays();
        }

        AssertNothingStays();
        Assert.Equal(["source"], Entries("new/clones"));
        Shell.Check("diff", "--recursive", At("source"), At("new/clones/source"));
    }

    [RootTheory]
    [InlineData(Signal.Interrupt)]
    [InlineData(Signal.Terminate)]
    [InlineData(Signal.Kill)]
    public void Snapshots_are_gone_after_a_signal_and_after_a_kill_with_the_next_run(int signal)
    {
        Shell.Check("btrfs", "subvolume", "create", At("source"));
        NewManyFiles("source/");
        NewFile("small", "x");
        using Process process = Program.Start("copy", "--point-in-time", "--jobs", "1", At("source"), At("clone"));
        Assert.True(SpinWait.SpinUntil(() => Directory.Exists(At("clone")) || process.HasExited, TimeSpan.FromSeconds(30)));
        Assert.True(Signal.Send(process, Signal.Stop));
        Assert.Equal(1, TemporarySnapshots());

        // A run beside it leaves a living one's snapshot alone.
        Assert.Equal(0, Program.Run("copy", "--point-in-time", At("small"), At("beside")).ExitCode);
        Assert.Equal(1, TemporarySnapshots());
        Assert.True(Signal.Send(process, signal));
        Signal.Send(process, Signal.Continue); // Killed, it is gone already.
        process.WaitForExit();

        Assert.Equal(128 + signal, process.ExitCode);
        Assert.Equal(signal == Signal.Kill ? 1 : 0, TemporarySnapshots());
        Assert.Equal(0, Program.Run("copy", "--point-in-time", At("small"), At("after")).ExitCode);
        AssertNothingStays();
    }

    [RootFact(Needs = RandomTree.Tools + " " + TreeFacts.Tools)]
    public void The_snapshot_of_a_single_folder_is_removed_before_it_is_read_and_read_all_the_same()
    {
        RandomTree.Make(At("source"), seed: 302);
        NewManyFiles("source/many");
        TreeFacts before = TreeFacts.Of(At("source"));
        int asked = 0;
        bool LookNow(ReadOnlySpan<string> path, EntryKind kind)
        {
            string name = path[^1];
            if (Interlocked.Increment(ref asked) == 1)
            {
                Assert.Equal(0, TemporarySnapshots());
                File.WriteAllText(At("source/many/later"), "x");
                Directory.Delete(At("source/many/20"), recursive: true);
                // The kernel begins to clean up what nobody has open any more.
                Shell.Check("btrfs", "filesystem", "sync", Folder);
            }

            return true;
        }

        using (Cloner cloner = new(Moment with { SingleItem = true, Filter = LookNow }))
        {
            CloneResult result = cloner.Clone(At("source"), CloneDestination.Named(At("clone")));
            Assert.Empty(cloner.Failures);
            Assert.Equal(0, result.Failed);
        }

        AssertNothingStays();
        TreeFacts cloned = TreeFacts.Of(At("clone"));
        before.AssertEqual(cloned);
    }

    [RootFact]
    public void What_has_the_name_of_a_leftover_but_was_not_made_for_snapshots_is_left_alone()
    {
        // Whoever may write in the directory could rename another one of the user's to such a name.
        Shell.Check("btrfs", "subvolume", "create", At("own"));
        Directory.CreateDirectory(At(".btrfs-clone-moment.1"));
        Shell.Check("btrfs", "subvolume", "snapshot", "-r", At("own"), At(".btrfs-clone-moment.1/subvolume"));
        NewFile(".btrfs-clone-moment.1/file", "x");
        File.CreateSymbolicLink(At(".btrfs-clone-moment.2"), At("own"));
        NewFile("source/file", "x");

        Cloner.Clone(At("source"), At("clone"), Moment);

        Assert.Equal(["file", "subvolume"], Entries(".btrfs-clone-moment.1"));
        Assert.Equal(
            [".btrfs-clone-moment.1", ".btrfs-clone-moment.2", "clone", "own", "source"], Entries("."));
    }

    [RootFact(Needs = "chattr")]
    public void A_subvolume_that_is_immutable_or_out_of_bounds_leaves_nothing_behind()
    {
        Shell.Check("btrfs", "subvolume", "create", At("source"));
        NewFile("source/file", "x");
        Shell.Check("chmod", "000", At("source"));
        Shell.Check("chattr", "+i", At("source"));
        try
        {
            Cloner.Clone(At("source"), At("clone"), Moment);
        }
        finally
        {
            Shell.Check("chattr", "-i", At("source"));
            Shell.Run("chattr", "-i", At("clone"));
        }

        AssertNothingStays();
        Assert.Equal("x", File.ReadAllText(At("clone/file")));
    }

    [RootFact(Needs = SwapFile.Tools)]
    public void A_subvolume_with_an_active_swap_file_has_no_snapshot()
    {
        Shell.Check("btrfs", "subvolume", "create", At("source"));
        NewFile("source/file", "x");
        using SwapFile swap = new(At("source/swap"));
        using Cloner cloner = new(Moment);

        BtrfsException failure = Assert.Throws<BtrfsException>(
            () => cloner.Clone(At("source"), CloneDestination.Named(At("clone"))));

        Assert.Equal((BtrfsError.SwapFile, At("source")), (failure.Error, failure.Path));
        cloner.Dispose();
        AssertNothingStays();
    }

    [RootTheory(Needs = Injection.Tools)]
    [InlineData("ENOSPC", "no space")]
    [InlineData("EDQUOT", "quota")]
    public void What_a_snapshot_has_no_room_for_is_told_at_the_destination(string error, string words)
    {
        NewFile("source/file", "x");
        int told = 0;
        Injection.RunAtEach(
            "ioctl", error, () => ["copy", "--point-in-time", "--jobs", "1", At("source"), At("clone")],
            (place, result) =>
            {
                string? line = result.Error.Split('\n').FirstOrDefault(
                    l => l.Contains("BTRFS_IOC_SNAP_CREATE_V2", StringComparison.Ordinal));
                if (line is not null)
                {
                    told++;
                    Assert.StartsWith($"btrfs-clone: {At("clone")}: ", line, StringComparison.Ordinal);
                    Assert.Contains(words, line, StringComparison.Ordinal);
                    AssertNothingStays();
                }

                Shell.Check("rm", "-rf", At("clone"));
            });
        Assert.Equal(1, told);
    }

    [RootFact(Needs = Injection.Tools)]
    public void A_folder_of_snapshots_that_cannot_be_removed_is_told()
    {
        NewFile("source/file", "x");
        int stayed = 0;
        foreach (string call in (string[])["unlinkat", "getdents64"])
        {
            int injected = 1;
            for (int place = 1; injected > 0; place++)
            {
                ShellResult result = Injection.Run(
                    $"{call}:error=EIO:when={place}+", out injected, "copy", "--point-in-time", At("source"), At("clone"));
                string[] hidden = [.. Entries(".").Where(name => name.StartsWith(".btrfs-clone-moment.", StringComparison.Ordinal))];
                foreach (string name in hidden)
                {
                    stayed++;
                    Assert.Equal(1, result.ExitCode);
                    Assert.Contains(
                        $"btrfs-clone: {At(name)}: it could not be removed again and stays: {call}: Input/output error",
                        result.Error, StringComparison.Ordinal);
                }

                Shell.Check("rm", "-rf", At("clone"));
                Cloner.Clone(At("source"), At("clone"), Moment);
                Shell.Check("rm", "-rf", At("clone"));
                AssertNothingStays();
            }
        }

        Assert.True(stayed > 1);
    }

    [RootFact(Needs = "setfattr")]
    public void What_a_run_has_left_that_was_killed_while_it_asked_is_removed()
    {
        NewFile("source/file", "x");
        Directory.CreateDirectory(At(".btrfs-clone-moment.0123456789abcdef/probe"));
        Shell.Check("chmod", "700", At(".btrfs-clone-moment.0123456789abcdef"));
        Shell.Check("setfattr", "-n", "user.btrfs-clone.temporary", "-v", "1", At(".btrfs-clone-moment.0123456789abcdef"));

        Cloner.Clone(At("source"), At("clone"), Moment);

        AssertNothingStays();
    }

    private void NewManyFiles(string prefix) => Shell.Check(
        "sh", "-c",
        "mkdir -p \"$1\" && cd \"$1\" && head -c 300000 /dev/urandom > all && " +
        "for d in $(seq 20); do mkdir $d && split -a 4 -b 300 all $d/f; done && rm all",
        "sh", At(prefix));
}
