using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Cloning;

/// <summary>Clones of sources as they stood at one moment.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class PointInTimeTests(ScratchBtrfs btrfs) : PointInTimeTestBase(btrfs)
{
    [RootFact(Needs = RandomTree.Tools + " " + TreeFacts.Tools)]
    public void A_tree_with_nested_subvolumes_equals_its_source_in_every_field_and_shares_all()
    {
        RandomTree.Make(At("source"), seed: 301);
        TreeFacts before = TreeFacts.Of(At("source"));

        Cloner.Clone(At("source"), At("clone"), Moment);

        AssertNothingStays();
        TreeFacts cloned = TreeFacts.Of(At("clone"));
        before.AssertEqual(cloned);
        Assert.Empty(cloned.Unshared);
        before.AssertEqual(TreeFacts.Of(At("source")));
    }

    [RootFact]
    public void What_is_delayed_is_written_out_by_the_snapshot_for_all_files_at_once()
    {
        Shell.Check("btrfs", "subvolume", "create", At("subvolume"));
        Shell.Check("sh", "-c", "for i in $(seq 20); do head -c 100000 /dev/urandom > \"$1/file$i\"; done", "sh", At("subvolume"));

        Assert.Contains("delalloc", Extents(), StringComparison.Ordinal);
        using (SafeFileHandle root = Native.Open(At("subvolume"), write: false), place = Native.Open(Folder, write: false))
        {
            CallResult result = Sys.CreateSnapshot(
                Descriptor.Borrow(root), Descriptor.Borrow(place), "snapshot\0"u8, readOnly: true);
            Assert.Equal(Errno.None, result.Error);
        }

        Assert.DoesNotContain("delalloc", Extents(), StringComparison.Ordinal);
        Shell.Check("diff", "--recursive", At("subvolume"), At("snapshot"));

        string Extents() => Shell.Check("filefrag", ["-v", .. Directory.GetFiles(At("subvolume"))]);
    }

    [RootFact]
    public void No_clone_parts_two_counters_that_are_written_one_after_the_other_but_plain_clones_do()
    {
        Shell.Check("btrfs", "subvolume", "create", At("source"));
        const int Folders = 40;
        for (int folder = 0; folder < Folders; folder++)
        {
            Directory.CreateDirectory(At($"source/tree/{folder:d3}"));
            for (int file = 0; file < 100; file++)
            {
                File.WriteAllText(At($"source/tree/{folder:d3}/{file:d3}"), "content");
            }
        }

        using CounterPair counters = new(At("source/tree/000/000"), At($"source/tree/{Folders - 1:d3}/099"));

        int clones = TestMachine.IsThorough ? 50 : 5;
        for (int i = 0; i < clones; i++)
        {
            // A folder's snapshot is removed while it is still read, that of a whole subvolume at the end.
            Assert.InRange(PartingOf("source/tree", Moment with { SingleItem = true }), 0, 1);
            Assert.InRange(PartingOf("source", Moment with { SingleItem = true }), 0, 1);
        }

        // As often as it takes: that one is parted shows that the others could have been.
        for (int i = 0; PartingOf("source", new CloneOptions()) <= 1; i++)
        {
            Assert.True(i < 50, "No plain clone parted the counters.");
        }

        long PartingOf(string item, CloneOptions options)
        {
            counters.WaitForNext();
            Cloner.Clone(At(item), At("clone"), options);
            string tree = At(item == "source" ? "clone/tree" : "clone");
            long parting = CounterPair.Read($"{tree}/000/000") - CounterPair.Read($"{tree}/{Folders - 1:d3}/099");
            AssertNothingStays();
            Shell.Check("rm", "--recursive", At("clone"));
            return Math.Abs(parting);
        }
    }

    [RootFact]
    public void Items_of_one_subvolume_share_the_moment_of_the_first()
    {
        Shell.Check("btrfs", "subvolume", "create", At("one"));
        Shell.Check("btrfs", "subvolume", "create", At("two"));
        foreach (string file in new[] { "one/a", "one/b", "one/dir/c", "one/dir/link", "two/a" })
        {
            NewFile(file, "before");
        }

        Directory.CreateDirectory(At("clone"));
        using (Cloner cloner = new(Moment))
        {
            cloner.Clone(At("one/a"), CloneDestination.Into(At("clone")));
            File.WriteAllText(At("one/b"), "after");
            File.WriteAllText(At("one/dir/c"), "after");
            File.Delete(At("one/dir/link"));
            NewFile("one/new", "after");
            cloner.Clone(At("one/b"), CloneDestination.Into(At("clone")));
            cloner.Clone(At("one/dir"), CloneDestination.Into(At("clone")));
            BtrfsException failure = Assert.Throws<BtrfsException>(
                () => cloner.Clone(At("one/new"), CloneDestination.Into(At("clone"))));
            Assert.Equal((BtrfsError.SourceNotFound, At("one/new")), (failure.Error, failure.Path));

            // Another subvolume is another moment.
            File.WriteAllText(At("two/a"), "after");
            cloner.Clone(At("two"), CloneDestination.Into(At("clone")));
            Assert.Equal(2, TemporarySnapshots());
        }

        AssertNothingStays("clone");
        Assert.Equal("before", File.ReadAllText(At("clone/b")));
        Assert.Equal("before", File.ReadAllText(At("clone/dir/c")));
        Assert.Equal("before", File.ReadAllText(At("clone/dir/link")));
        Assert.Equal("after", File.ReadAllText(At("clone/two/a")));
    }

    [RootFact]
    public void Items_with_relative_paths_come_from_the_moment()
    {
        NewFile("base/deep/er/a", "1");
        NewFile("base/b", "2");
        Shell.Check("btrfs", "subvolume", "create", At("base/deep/nested"));
        NewFile("base/deep/nested/c", "3");
        using (Cloner cloner = new(Moment))
        {
            CloneDestination destination = CloneDestination.Into(At("clone"), At("base"));
            cloner.Clone(At("base/deep/er/a"), destination);
            File.WriteAllText(At("base/b"), "after");
            cloner.Clone(At("base/b"), destination);
            cloner.Clone(At("base/deep/nested/c"), destination);
        }

        AssertNothingStays("clone");
        Shell.Check("diff", "--recursive", At("base/deep"), At("clone/deep"));
        Assert.Equal("2", File.ReadAllText(At("clone/b")));
    }

    [RootFact]
    public void A_nested_subvolume_deep_in_a_tree_leads_back_up()
    {
        // Deeper than directories stay open: the walk returns by "..", which in a snapshot's root leads elsewhere.
        string path = At("source");
        Directory.CreateDirectory(path);
        for (int level = 0; level < 700; level++)
        {
            path += "/d";
            if (level is 100 or 350)
            {
                Shell.Check("btrfs", "subvolume", "create", path);
            }
            else
            {
                Directory.CreateDirectory(path);
            }

            File.WriteAllText(path + "/file", $"{level}");
            Directory.CreateDirectory(path + "/e");
        }

        foreach (int workers in new[] { 1, 4 })
        {
            Cloner.Clone(At("source"), At($"clone{workers}"), Moment with { Workers = workers, SingleItem = workers > 1 });

            Shell.Check("diff", "--recursive", At("source"), At($"clone{workers}"));
            AssertNothingStays();
        }
    }

    [RootFact]
    public void A_snapshot_whose_nested_subvolume_is_an_empty_directory_is_cloned_as_it_is()
    {
        Shell.Check("btrfs", "subvolume", "create", At("outer"));
        Shell.Check("btrfs", "subvolume", "create", At("outer/inner"));
        NewFile("outer/inner/file", "x");
        Shell.Check("btrfs", "subvolume", "snapshot", At("outer"), At("source"));

        Cloner.Clone(At("source"), At("clone"), Moment);

        Shell.Check("diff", "--recursive", At("source"), At("clone"));
        Assert.True(Directory.Exists(At("clone/inner")));
    }

    [RootFact]
    public void The_root_of_a_filesystem_is_an_item_too()
    {
        using ScratchImage other = new(1L << 28, "noatime", "mkfs.btrfs", "--quiet");
        Directory.CreateDirectory(Path.Combine(other.Root, "source"));
        File.WriteAllText(Path.Combine(other.Root, "source/file"), "content");
        Shell.Check("btrfs", "subvolume", "create", Path.Combine(other.Root, "clones"));
        string mounted = Directory.CreateDirectory(At("mounted")).FullName;
        Shell.Check("mount", "-t", "btrfs", "-o", "subvol=clones", other.Device, mounted);
        try
        {
            // Through another mount one does not see that the destination lies below the source: it is not entered.
            File.WriteAllText(Path.Combine(mounted, "file"), "content");
            using (Cloner cloner = new(Moment))
            {
                cloner.Clone(other.Root, CloneDestination.Named(Path.Combine(mounted, "all")));
                BtrfsException failure = Assert.Single(cloner.Failures);
                Assert.Equal(
                    (BtrfsError.DestinationInsideSource, Path.Combine(other.Root, "clones/all")), (failure.Error, failure.Path));
            }

            Assert.Equal(["all", "file"], Names(mounted));
            Assert.Equal(["clones", "source"], Names(mounted + "/all"));
            Assert.Equal(["file"], Names(mounted + "/all/clones"));
            Assert.Equal("content", File.ReadAllText(Path.Combine(other.Root, "clones/all/source/file")));
        }
        finally
        {
            Shell.Check("umount", mounted);
        }
    }

    [RootFact(Needs = "mount umount")]
    public void What_is_mounted_below_the_source_is_cloned_or_reported()
    {
        foreach (string folder in new[] { "source/tmp fs", "source/subvolume", "source/bound", "elsewhere" })
        {
            Directory.CreateDirectory(At(folder));
        }

        NewFile("source/file", "hidden");
        NewFile("source/other", "shown");
        NewFile("elsewhere/file", "shown");
        Shell.Check("btrfs", "subvolume", "create", At("mounted"));
        NewFile("mounted/deep/file", "shown");
        Mount("-t", "tmpfs", "none", At("source/tmp fs"));
        Mount("--bind", At("mounted"), At("source/subvolume"));
        Mount("--bind", At("elsewhere"), At("source/bound"));
        Mount("--bind", At("elsewhere/file"), At("source/file"));
        Cloner cloner = new(Moment);
        try
        {
            CloneResult result = cloner.Clone(At("source"), CloneDestination.Named(At("clone")));

            Assert.Equal(3, result.Failed);
            Assert.All(cloner.Failures, f => Assert.Equal(BtrfsError.MountInBetween, f.Error));
            Assert.Equal(
                [At("source/bound"), At("source/file"), At("source/tmp fs")],
                cloner.Failures.Select(f => f.Path).Order(StringComparer.Ordinal));
            Assert.Equal("shown", File.ReadAllText(At("clone/subvolume/deep/file")));
            Assert.Equal(["other", "subvolume"], Entries("clone"));

            // Left out, they are no failure.
            EntryFilter filter = (path, _) => path[^1] is not "tmp fs" and not "bound" and not "file";
            Cloner.Clone(At("source"), At("filtered"), Moment with { Filter = filter });
            Assert.Equal(["other", "subvolume"], Entries("filtered"));

            // Through a mount that shows a part of a subvolume, its root is out of reach.
            BtrfsException refusal = Assert.Throws<BtrfsException>(
                () => cloner.Clone(At("source/bound"), CloneDestination.Named(At("refused"))));
            Assert.Equal((BtrfsError.MountInBetween, At("source/bound")), (refusal.Error, refusal.Path));
        }
        finally
        {
            cloner.Dispose();
            Shell.Check("umount", At("source/tmp fs"), At("source/subvolume"), At("source/bound"), At("source/file"));
        }

        static void Mount(params string[] arguments) => Shell.Check("mount", arguments);
    }

    [RootFact(Needs = "mkfs.xfs")]
    public void Only_one_and_the_same_btrfs_will_do()
    {
        using ScratchImage other = new(1L << 28, "noatime", "mkfs.btrfs", "--quiet");
        using ScratchImage xfs = new(400L << 20, "noatime", "mkfs.xfs", "-q", "-m", "reflink=1");
        NewFile("source/file", "x");
        Directory.CreateDirectory(Path.Combine(xfs.Root, "source"));
        using Cloner cloner = new(Moment with { Reflink = ReflinkMode.Auto });

        Assert.Equal(BtrfsError.CrossDevice, Refusal(At("source"), Path.Combine(other.Root, "clone")));
        Assert.Equal(BtrfsError.CrossDevice, Refusal(At("source/file"), Path.Combine(other.Root, "clone")));
        Assert.Equal(BtrfsError.NotBtrfs, Refusal(Path.Combine(xfs.Root, "source"), Path.Combine(xfs.Root, "clone")));

        Assert.Empty(Directory.GetFileSystemEntries(other.Root));
        Assert.Equal(["source"], Directory.GetFileSystemEntries(xfs.Root).Select(Path.GetFileName));

        BtrfsError Refusal(string source, string destination) => Assert.Throws<BtrfsException>(
            () => cloner.Clone(source, CloneDestination.Named(destination))).Error;
    }
}
