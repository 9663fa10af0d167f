using BtrfsClone.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>What an invocation has made is never replaced by the same invocation, whatever was there before.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class JustCreatedTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    public static TheoryData<string, bool> Places()
    {
        TheoryData<string, bool> places = [];
        foreach (string place in new[] { "new", "new/deeper", "empty", "full" })
        {
            places.Add(place, false);
            places.Add(place, true);
        }

        return places;
    }

    [BtrfsTheory]
    [MemberData(nameof(Places))]
    public void A_second_item_of_a_name(string place, bool atomic)
    {
        MakePlaces();
        NewFile("a/f", "first");
        NewFile("b/f", "second");
        NewFile("b/g", "another");
        CloneDestination into = CloneDestination.Into(At(place));
        using Cloner cloner = new(new CloneOptions { Atomic = atomic });

        cloner.Clone(At("a/f"), into);
        BtrfsException refusal = Assert.Throws<BtrfsException>(() => cloner.Clone(At("b/f"), into));

        Assert.Equal((BtrfsError.JustCreated, At($"{place}/f")), (refusal.Error, refusal.Path));
        Assert.Contains("<RelativeBase>", refusal.Advice(option => $"<{option}>"), StringComparison.Ordinal);
        cloner.Clone(At("b/g"), into);
        if (atomic)
        {
            Assert.Equal(BtrfsError.Incomplete, Assert.Throws<BtrfsException>(() => cloner.Session.Complete()).Error);
            Assert.Equal(place == "full" ? "old" : null, File.Exists(At($"{place}/f")) ? File.ReadAllText(At($"{place}/f")) : null);
        }
        else
        {
            Assert.Equal("first", File.ReadAllText(At($"{place}/f")));
            Assert.Equal("another", File.ReadAllText(At($"{place}/g")));
        }
    }

    [BtrfsTheory]
    [InlineData("new")]
    [InlineData("empty")]
    [InlineData("full")]
    public void Files_in_directories_of_one_name_which_are_merged(string place)
    {
        MakePlaces();
        NewFile("full/d/sub/f", "old");
        NewFile("full/d/sub/g", "old");
        NewFile("a/d/sub/f", "first");
        NewFile("b/d/sub/f", "second");
        NewFile("b/d/sub/g", "new");
        NewFile("b/d/other", "other");
        CloneDestination into = CloneDestination.Into(At(place));
        using Cloner cloner = new();

        cloner.Clone(At("a/d"), into);
        CloneResult result = cloner.Clone(At("b/d"), into);

        BtrfsException failure = Assert.Single(cloner.Failures);
        Assert.Equal((BtrfsError.JustCreated, At($"{place}/d/sub/f")), (failure.Error, failure.Path));
        Assert.Equal((2, 1), (result.Files, result.Failed));
        Assert.Equal("first", File.ReadAllText(At($"{place}/d/sub/f")));
        Assert.Equal("new", File.ReadAllText(At($"{place}/d/sub/g")));
        Assert.Equal("other", File.ReadAllText(At($"{place}/d/other")));
    }

    [BtrfsTheory]
    [InlineData("new")]
    [InlineData("full")]
    public void Entries_of_every_kind(string place)
    {
        MakePlaces();
        foreach (string side in new[] { "a", "b" })
        {
            NewFile($"{side}/file", side);
            File.CreateSymbolicLink(At($"{side}/link"), side);
            Shell.Check("mkfifo", At($"{side}/fifo"));
            Shell.Check("ln", At($"{side}/file"), At($"{side}/hard"));
        }

        foreach (string name in place == "full" ? ["file", "link", "fifo", "hard"] : Array.Empty<string>())
        {
            NewFile($"full/{name}", "old");
        }

        CloneDestination into = CloneDestination.Into(At(place));
        using Cloner cloner = new();
        string[] names = ["hard", "link", "fifo", "file"];
        Array.ForEach(names, name => cloner.Clone(At($"a/{name}"), into));

        foreach (string name in names)
        {
            BtrfsException refusal = Assert.Throws<BtrfsException>(() => cloner.Clone(At($"b/{name}"), into));
            Assert.Equal((BtrfsError.JustCreated, At($"{place}/{name}")), (refusal.Error, refusal.Path));
        }

        Assert.Equal("a", File.ReadAllText(At($"{place}/file")));
        Assert.Equal("a", File.ReadAllText(At($"{place}/hard")));
        Assert.Equal("a", new FileInfo(At($"{place}/link")).LinkTarget);
    }

    [BtrfsTheory]
    [InlineData("new", false)]
    [InlineData("full", false)]
    [InlineData("new", true)]
    [InlineData("full", true)]
    public void A_file_and_a_directory_of_one_name(string place, bool fileFirst)
    {
        MakePlaces();
        NewFile("a/x", "file");
        NewFile("b/x/y", "directory");
        CloneDestination into = CloneDestination.Into(At(place));
        using Cloner cloner = new();
        (string first, string second) = fileFirst ? ("a/x", "b/x") : ("b/x", "a/x");

        cloner.Clone(At(first), into);
        BtrfsException refusal = Assert.Throws<BtrfsException>(() => cloner.Clone(At(second), into));

        Assert.Equal((BtrfsError.JustCreated, At($"{place}/x")), (refusal.Error, refusal.Path));
        Assert.Equal(fileFirst ? "file" : "directory", File.ReadAllText(At(fileFirst ? $"{place}/x" : $"{place}/x/y")));
    }

    [BtrfsFact]
    public void A_file_and_a_directory_of_one_name_inside_of_trees()
    {
        NewFile("a/d/x", "file");
        NewFile("b/d/x/y", "directory");
        Directory.CreateDirectory(At("into/d"));
        CloneDestination into = CloneDestination.Into(At("into"));
        using Cloner cloner = new();

        cloner.Clone(At("a/d"), into);
        cloner.Clone(At("b/d"), into);

        Assert.Equal((BtrfsError.JustCreated, At("into/d/x")), (cloner.Failures[0].Error, cloner.Failures[0].Path));
        Assert.Equal("file", File.ReadAllText(At("into/d/x")));
    }

    [BtrfsFact]
    public void A_relative_base_keeps_them_apart_and_what_still_meets_is_refused()
    {
        NewFile("a/f", "first");
        NewFile("b/f", "second");
        CloneDestination into = CloneDestination.Into(At("into"), _folder);
        using Cloner cloner = new();

        cloner.Clone(At("a/f"), into);
        cloner.Clone(At("b/f"), into);
        BtrfsException refusal = Assert.Throws<BtrfsException>(() => cloner.Clone(At("a/f"), into));

        Assert.Equal((BtrfsError.JustCreated, At("into/a/f")), (refusal.Error, refusal.Path));
        Assert.Equal(["first", "second"], new[] { "a", "b" }.Select(d => File.ReadAllText(At($"into/{d}/f"))));
    }

    [BtrfsFact]
    public void What_was_there_before_is_replaced_by_the_first_and_what_another_session_made_by_any()
    {
        NewFile("a/f", "first");
        NewFile("into/f", "old");
        CloneDestination into = CloneDestination.Into(At("into"));
        using (Cloner cloner = new())
        {
            cloner.Clone(At("a/f"), into);
        }

        NewFile("a/f", "later");
        using (Cloner cloner = new())
        {
            cloner.Clone(At("a/f"), into);
        }

        Assert.Equal("later", File.ReadAllText(At("into/f")));
    }

    [BtrfsFact]
    public void An_item_whose_clone_somebody_has_removed_is_cloned_again()
    {
        NewFile("a/f", "first");
        NewFile("b/f", "second");
        NewFile("into/other", "");
        CloneDestination into = CloneDestination.Into(At("into"));
        using Cloner cloner = new();

        cloner.Clone(At("a/f"), into);
        File.Delete(At("into/f"));
        cloner.Clone(At("b/f"), into);

        Assert.Equal("second", File.ReadAllText(At("into/f")));
    }

    [RootFact]
    public void Inode_numbers_that_two_subvolumes_have_are_not_mixed_up()
    {
        foreach (string name in new[] { "one", "two" })
        {
            Shell.Check("btrfs", "subvolume", "create", At(name));
            NewFile($"{name}/f", "old");
            NewFile($"from/{name}/f", "new");
        }

        NewFile("from/three/f", "new");
        using Cloner cloner = new();
        // The first item's new file has the number in its subvolume that the next file gets in the other one.
        cloner.Clone(At("from/one/f"), CloneDestination.Into(At("one")));
        NewFile("two/g", "of the same number");
        Assert.Equal(Shell.Check("stat", "--format=%i", At("one/f")), Shell.Check("stat", "--format=%i", At("two/g")));
        File.Move(At("two/g"), At("two/f"), overwrite: true);
        cloner.Clone(At("from/two/f"), CloneDestination.Into(At("two")));

        Assert.Equal("new", File.ReadAllText(At("two/f")));
    }

    [RootFact]
    public void A_second_snapshot_of_a_name()
    {
        Directory.CreateDirectory(At("a"));
        Directory.CreateDirectory(At("b"));
        Directory.CreateDirectory(At("into"));
        Shell.Check("btrfs", "subvolume", "create", At("a/s"));
        Shell.Check("btrfs", "subvolume", "create", At("b/s"));
        using Cloner cloner = new();
        SnapshotClone snapshots = new(cloner.Session, new SnapshotOptions(), _ => { });
        foreach (string place in new[] { "into", "new" })
        {
            CloneDestination into = CloneDestination.Into(At(place));
            snapshots.Clone(At("a/s"), into, CancellationToken.None);

            BtrfsException refusal = Assert.Throws<BtrfsException>(() => snapshots.Clone(At("b/s"), into, CancellationToken.None));

            Assert.Equal((BtrfsError.JustCreated, At($"{place}/s")), (refusal.Error, refusal.Path));
        }
    }

    private void MakePlaces()
    {
        Directory.CreateDirectory(At("empty"));
        NewFile("full/f", "old");
    }

    private string At(string path) => Path.Combine(_folder, path);

    private void NewFile(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllText(At(path), content);
    }
}
