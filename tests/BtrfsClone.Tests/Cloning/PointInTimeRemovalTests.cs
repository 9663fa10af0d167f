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
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    [InlineData("KILL", 137)]
    public void Snapshots_are_gone_after_a_signal_and_after_a_kill_with_the_next_run(string signal, int exitCode)
    {
        Shell.Check("btrfs", "subvolume", "create", At("source"));
        NewManyFiles("source/");
        NewFile("small", "x");
        using Process process = Program.Start("copy", "--point-in-time", "--jobs", "1", At("source"), At("clone"));
        Assert.True(SpinWait.SpinUntil(() => Directory.Exists(At("clone")) || process.HasExited, TimeSpan.FromSeconds(30)));
        Shell.Check("kill", "-STOP", $"{process.Id}");
        Assert.Equal(1, TemporarySnapshots());

        // A run beside it leaves a living one's snapshot alone.
        Assert.Equal(0, Program.Run("copy", "--point-in-time", At("small"), At("beside")).ExitCode);
        Assert.Equal(1, TemporarySnapshots());
        Shell.Check("kill", $"-{signal}", $"{process.Id}");
        Shell.Run("kill", "-CONT", $"{process.Id}"); // Killed, it is gone already.
        process.WaitForExit();

        Assert.Equal(exitCode, process.ExitCode);
        Assert.Equal(signal == "KILL" ? 1 : 0, TemporarySnapshots());
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
        bool LookNow(string name, EntryKind kind)
        {
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

    private void NewManyFiles(string prefix) => Shell.Check(
        "sh", "-c",
        "mkdir -p \"$1\" && cd \"$1\" && head -c 300000 /dev/urandom > all && " +
        "for d in $(seq 20); do mkdir $d && split -a 4 -b 300 all $d/f; done && rm all",
        "sh", At(prefix));
}
