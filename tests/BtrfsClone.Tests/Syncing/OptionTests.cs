using BtrfsClone.Cloning;
using BtrfsClone.Syncing;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Syncing;

/// <summary>What the options decide.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class OptionTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    private string Source => Path.Combine(_folder, "source");

    private string Destination => Path.Combine(_folder, "destination");

    [BtrfsTheory(Needs = "diff find touch")]
    [InlineData(SyncCheck.Extent)]
    [InlineData(SyncCheck.Time)]
    public void Other_data_under_an_equal_size(SyncCheck check)
    {
        MakePair();
        Shell.Check("touch", "-d", "2020-01-01", Path.Combine(Source, "a"), Path.Combine(Destination, "a"));
        File.WriteAllText(Path.Combine(Destination, "below/b"), "later");
        File.WriteAllText(Path.Combine(Destination, "a"), "other");
        Shell.Check("touch", "-d", "2020-01-01", Path.Combine(Destination, "a"));

        SyncResult result = Syncer.Sync(Source, Destination, new SyncOptions { Check = check });

        // A time that was set back hides a change from a look at times alone.
        Assert.Equal("first", File.ReadAllText(Path.Combine(Destination, "below/b")));
        Assert.Equal(check == SyncCheck.Time ? "other" : "first", File.ReadAllText(Path.Combine(Destination, "a")));
        Assert.Equal(check == SyncCheck.Time ? 1 : 2, result.Replaced);
    }

    [BtrfsFact(Needs = "touch stat")]
    public void A_time_alone_is_set_in_place()
    {
        MakePair();
        string file = Path.Combine(Destination, "a");
        string inode = Shell.Check("stat", "-c", "%i", file);
        Shell.Check("touch", "-d", "2020-01-01", file);

        SyncResult result = Syncer.Sync(Source, Destination, new SyncOptions { Check = SyncCheck.Time });

        Assert.Equal((0, 1), (result.Replaced, result.Updated));
        Assert.Equal(inode, Shell.Check("stat", "-c", "%i", file));
        Assert.Equal(
            Shell.Check("stat", "-c", "%y", Path.Combine(Source, "a")), Shell.Check("stat", "-c", "%y", file));
    }

    [BtrfsFact(Needs = "find diff")]
    public void A_dry_run_tells_the_steps_and_changes_nothing()
    {
        MakePair();
        Change();
        string before = Stamps();

        (SyncResult dry, _, List<SyncChange> planned) = Syncer.SyncAll(
            Source, Destination, new SyncOptions { Delete = true, DryRun = true });

        Assert.Equal(before, Stamps());
        (SyncResult result, _, List<SyncChange> done) = Syncer.SyncAll(Source, Destination, new SyncOptions { Delete = true });
        Assert.Equal(Sorted(done), Sorted(planned));
        Assert.Equal(
            (result.Created, result.Replaced, result.Patched, result.Updated, result.Deleted, result.SharedLength),
            (dry.Created, dry.Replaced, dry.Patched, dry.Updated, dry.Deleted, dry.SharedLength));
        Shell.Check("diff", "-r", Source, Destination);
    }

    [BtrfsFact]
    public void The_share_that_is_done_grows_to_all_as_the_work_goes_on()
    {
        for (int i = 0; i < 50; i++)
        {
            Directory.CreateDirectory(Path.Combine(Source, $"{i % 7}", $"{i}"));
            File.WriteAllText(Path.Combine(Source, $"{i % 7}", $"{i}", "file"), "x");
        }

        List<double> shares = [];
        SyncSession? session = null;
        using (session = new SyncSession(
            new SyncOptions { Workers = 1 },
            new SyncEvents { OnFailure = _ => { }, OnChange = _ => shares.Add(session!.Counters.Share) }))
        {
            session.Sync(Source, Destination, CancellationToken.None);
            shares.Add(session.Counters.Share);
        }

        Assert.Equal(shares.Order(), shares);
        Assert.True(shares.Distinct().Count() > 3, string.Join(' ', shares));
        Assert.Equal(0, Math.Floor(shares[0]));
        Assert.Equal(1, shares[^1], precision: 6);

        // All directories of one level hold the same here.
        Assert.All(shares, (share, i) => Assert.InRange(share - ((double)i / shares.Count), -0.25, 0.25));
    }

    [BtrfsFact(Needs = "find")]
    public void What_the_filter_does_not_take_is_left_alone_on_both_sides()
    {
        MakePair();
        foreach (string side in new[] { Source, Destination })
        {
            Directory.CreateDirectory(Path.Combine(side, "cache"));
            File.WriteAllText(Path.Combine(side, $"cache/{Path.GetFileName(side)}"), "mine");
            File.WriteAllText(Path.Combine(side, $"{Path.GetFileName(side)}.log"), "mine");
        }

        SyncOptions options = new()
        {
            Delete = true,
            Filter = (path, _) => path[^1] != "cache" && !path[^1].EndsWith(".log", StringComparison.Ordinal),
        };
        Syncer.Sync(Source, Destination, options);
        File.WriteAllText(Path.Combine(Source, "cache/later"), "later");
        File.WriteAllText(Path.Combine(Source, "later"), "later");
        Syncer.Sync(Source, Destination, options);

        Assert.Equal(
            ["a", "below", "below/b", "cache", "cache/destination", "destination.log", "later"],
            Shell.Check("find", Destination, "-mindepth", "1", "-printf", @"%P\n")
                .Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
    }

    [RootFact(Needs = "diff btrfs")]
    public void Of_one_moment_the_destination_is_the_snapshot_and_a_later_sync_finds_what_came_after()
    {
        MakePair();
        Change();
        bool isWritten = false;
        SyncOptions options = new()
        {
            Delete = true,
            PointInTime = true,
            Filter = (_, _) =>
            {
                if (!isWritten)
                {
                    isWritten = true;
                    File.WriteAllText(Path.Combine(Source, "z"), "too late");
                }

                return true;
            },
        };
        Syncer.Sync(Source, Destination, options);
        Assert.False(File.Exists(Path.Combine(Destination, "z")));

        Syncer.Sync(Source, Destination, options);

        Shell.Check("diff", "-r", Source, Destination);
        Assert.Equal("", Shell.Check("find", _folder, "-name", ".btrfs-clone*"));
    }

    [RootFact(Needs = "diff touch stat")]
    public void On_another_filesystem_size_and_time_decide()
    {
        using ScratchImage other = new(256 << 20, "noatime", "mkfs.btrfs", "--quiet");
        string destination = Path.Combine(other.Root, "copy");
        MakePair();
        SyncOptions options = new() { Delete = true, Reflink = ReflinkMode.Auto };
        Assert.Equal(10, Syncer.Sync(Source, destination, options).CopiedLength);
        Assert.Equal((0, 0), Changes(Syncer.Sync(Source, destination, options)));
        File.WriteAllText(Path.Combine(Source, "a"), "later");
        File.WriteAllText(Path.Combine(destination, "below/extra"), "mine");

        SyncResult result = Syncer.Sync(Source, destination, options);

        Assert.Equal((5, 1, 1), (result.CopiedLength, result.Replaced, result.Deleted));
        Shell.Check("diff", "-r", Source, destination);
        Assert.Equal(
            Shell.Check("stat", "-c", "%y %a", Path.Combine(Source, "a")),
            Shell.Check("stat", "-c", "%y %a", Path.Combine(destination, "a")));

        static (long, long) Changes(SyncResult result) => (result.Replaced + result.Created, result.CopiedLength);
    }

    [BtrfsFact(Needs = "stat")]
    public void One_file_is_synced_by_its_own_name()
    {
        MakePair();
        File.WriteAllText(Path.Combine(Source, "a"), "later");

        Assert.Equal(1, Syncer.Sync(Path.Combine(Source, "a"), Path.Combine(Destination, "a")).Replaced);
        Assert.Equal(1, Syncer.Sync(Path.Combine(Source, "a"), Path.Combine(Destination, "new")).Created);

        Assert.Equal("later", File.ReadAllText(Path.Combine(Destination, "a")));
        Assert.Equal("later", File.ReadAllText(Path.Combine(Destination, "new")));
    }

    [BtrfsTheory(Needs = "cp ln")]
    [InlineData("a", false)]
    [InlineData("a", true)]
    [InlineData("below", false)]
    public void A_link_does_not_take_the_place_of_what_it_leads_to(string name, bool isDry)
    {
        MakePair();
        Shell.Check("rm", "-r", Path.Combine(Source, name));
        Shell.Check("ln", "-s", Path.Combine(Destination, name), Path.Combine(Source, name));

        (SyncResult result, List<BtrfsException> failures, _) = Syncer.SyncAll(
            Source, Destination, new SyncOptions { Delete = true, DryRun = isDry });

        BtrfsException failure = Assert.Single(failures);
        Assert.Equal((BtrfsError.SameFile, Path.Combine(Destination, name)), (failure.Error, failure.Path));
        Assert.Equal(1, result.Failed);
        Assert.Equal("first", File.ReadAllText(Path.Combine(Destination, "a")));
        Assert.Equal("first", File.ReadAllText(Path.Combine(Destination, "below/b")));
    }

    [BtrfsTheory(Needs = "cp")]
    [InlineData("a", "below")]
    [InlineData("below", "a")]
    public void Neither_a_file_nor_a_directory_takes_the_place_of_the_other_at_the_top(string source, string destination)
    {
        MakePair();

        BtrfsException failure = Assert.Throws<BtrfsException>(() => Syncer.SyncAll(
            Path.Combine(Source, source), Path.Combine(Destination, destination), new SyncOptions { Delete = true }));

        Assert.Equal(BtrfsError.DestinationExists, failure.Error);
        Assert.DoesNotContain("Remove", failure.Advice(option => option.ToString()), StringComparison.Ordinal);
        Assert.Equal("first", File.ReadAllText(Path.Combine(Destination, "a")));
        Assert.Equal("first", File.ReadAllText(Path.Combine(Destination, "below/b")));
    }

    private void MakePair()
    {
        Directory.CreateDirectory(Path.Combine(Source, "below"));
        File.WriteAllText(Path.Combine(Source, "a"), "first");
        File.WriteAllText(Path.Combine(Source, "below/b"), "first");
        Shell.Check("cp", "-a", "--reflink=always", Source, Destination);
    }

    private void Change()
    {
        File.WriteAllText(Path.Combine(Source, "new"), "new");
        Directory.CreateDirectory(Path.Combine(Source, "directory/in/it"));
        File.WriteAllText(Path.Combine(Source, "directory/in/it/deep"), "deep");
        File.WriteAllText(Path.Combine(Destination, "a"), "another");
        Directory.CreateDirectory(Path.Combine(Destination, "extra/inner"));
        File.Delete(Path.Combine(Destination, "below/b"));
        Directory.CreateDirectory(Path.Combine(Destination, "below/b/was a file"));
    }

    private string Stamps() => Shell.Check("find", _folder, "-printf", @"%P %i %C@\n");

    private static string[] Sorted(List<SyncChange> changes) =>
        [.. changes.Select(c => $"{c.Path} {c.Action} {c.Kind} {c.SharedLength}").Order(StringComparer.Ordinal)];
}
