using BtrfsClone.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>Clones of random trees equal their sources in every field, and share every extent.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class RandomTreeCloneTests(ScratchBtrfs btrfs)
{
    private const string Needs = RandomTree.Tools + " " + TreeFacts.Tools;

    [BtrfsTheory(Needs = Needs)]
    [InlineData(11, 0)]
    [InlineData(12, 1)]
    [InlineData(13, 8)]
    public void A_clone_equals_its_source_in_every_field(int seed, int workers)
    {
        (string source, string clone) = NewTree(seed);
        TreeFacts before = TreeFacts.Of(source);

        Cloner.Clone(source, clone, new CloneOptions { Workers = workers });

        TreeFacts cloned = TreeFacts.Of(clone);
        before.AssertEqual(cloned, TreeFacts.Unstable(btrfs));
        Assert.Empty(cloned.Unshared);
        before.AssertEqual(TreeFacts.Of(source), TreeFacts.Unstable(btrfs));
    }

    [RootFact(Needs = Needs)]
    public void A_clone_keeps_immutable_and_append_only()
    {
        (string source, string clone) = NewTree(21, new TreeShape { Frozen = true, WideEntries = 10 });
        TreeFacts before = TreeFacts.Of(source);

        Cloner.Clone(source, clone);

        before.AssertEqual(TreeFacts.Of(clone));
    }

    [BtrfsTheory(Needs = Needs + " cp")]
    [InlineData(31)]
    [InlineData(32)]
    public void A_clone_equals_what_cp_makes(int seed)
    {
        // cp knows no inode flags, and so fails on NOCOW files.
        (string source, string clone) = NewTree(seed, new TreeShape { Nocow = false });
        string copy = clone + ".cp";
        Shell.Check("cp", "--archive", "--reflink=always", source, copy);
        TreeFacts copied = TreeFacts.Of(copy);

        Cloner.Clone(source, clone);

        copied.AssertEqual(TreeFacts.Of(clone), [TreeFacts.Flags, TreeFacts.BeyondEnd, .. TreeFacts.Unstable(btrfs)]);
    }

    [BtrfsFact(Needs = Needs)]
    public void A_clone_takes_nothing_over_from_the_directory_that_it_is_made_in()
    {
        (string source, string clone) = NewTree(41, new TreeShape { WideEntries = 10 });
        TreeFacts before = TreeFacts.Of(source);

        foreach (string flag in new[] { "+C", "+c", "+m" })
        {
            // What a new entry inherits: the group, a default ACL, and one of these flags.
            string parent = Directory.CreateDirectory(clone + flag).FullName;
            Shell.Check("chmod", "g+s", parent);
            Shell.Check("setfacl", "-d", "-m", "u::rwx,u:77:rwx,g::rwx,m::rwx,o::rwx", parent);
            Shell.Check("chattr", flag, parent);

            Cloner.Clone(source, CloneDestination.Into(parent));

            before.AssertEqual(TreeFacts.Of(Path.Combine(parent, Path.GetFileName(source))), TreeFacts.Unstable(btrfs));
        }
    }

    [BtrfsFact(Needs = Needs)]
    public void A_second_clone_over_the_first_changes_nothing()
    {
        (string source, string clone) = NewTree(51);
        TreeFacts before = TreeFacts.Of(source);
        CloneOptions options = new() { Force = true };
        Cloner.Clone(source, CloneDestination.Into(clone), options);

        Cloner.Clone(source, CloneDestination.Into(clone), options);

        before.AssertEqual(TreeFacts.Of(Path.Combine(clone, Path.GetFileName(source))), TreeFacts.Unstable(btrfs));
    }

    [BtrfsFact(Needs = Needs)]
    public void The_result_counts_what_find_counts()
    {
        (string source, string clone) = NewTree(61);
        TreeFacts facts = TreeFacts.Of(source);

        CloneResult result = Cloner.Clone(source, clone);

        EntryFacts[] entries = [.. facts.Entries.Values];
        // Of several names of an inode, the first is the inode and the others are hard links to it.
        EntryFacts[] firsts =
            [.. facts.Entries.Where(e => e.Value.GetValueOrDefault(TreeFacts.HardLinks, e.Key) == e.Key).Select(e => e.Value)];
        Assert.Equal(entries.Length - firsts.Length, result.HardLinks);
        Assert.Equal(firsts.Count(e => e.IsFile), result.Files);
        Assert.Equal(firsts.Count(e => e["type"] == "d"), result.Directories);
        Assert.Equal(firsts.Count(e => e["type"] == "l"), result.SymbolicLinks);
        Assert.Equal(firsts.Count(e => e["type"] is "p" or "s" or "c" or "b"), result.SpecialFiles);
        Assert.Equal(firsts.Where(e => e.IsFile).Sum(e => e.Size), result.Length);
        Assert.Equal(0, result.CopiedLength);
        Assert.Equal(0, result.Failed);
        Assert.Equal(nameof(EntryKind.Directory), result.Kind);
        Assert.Equal((source, clone), (result.Source, result.Path));
    }

    private (string Source, string Clone) NewTree(int seed, TreeShape? shape = null)
    {
        string folder = btrfs.NewFolder();
        string source = Path.Combine(folder, "source");
        RandomTree.Make(source, seed, shape);
        return (source, Path.Combine(folder, "clone"));
    }
}
