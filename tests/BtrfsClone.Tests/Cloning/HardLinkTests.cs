using BtrfsClone.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>Names of one inode stay names of one inode, among all that a session clones.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class HardLinkTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    [BtrfsFact(Needs = "ln stat")]
    public void Links_among_several_items_of_a_session_are_kept()
    {
        Directory.CreateDirectory(At("source/one"));
        Directory.CreateDirectory(At("source/two"));
        File.WriteAllText(At("source/one/file"), "data");
        Shell.Check("ln", At("source/one/file"), At("source/two/linked"));
        Shell.Check("ln", At("source/one/file"), At("source/single"));
        CloneDestination destination = CloneDestination.Into(At("clones"));
        using Cloner cloner = new();

        CloneResult one = cloner.Clone(At("source/one"), destination);
        CloneResult two = cloner.Clone(At("source/two"), destination);
        CloneResult single = cloner.Clone(At("source/single"), destination);

        Assert.Equal((1L, 0L), (one.Files, one.HardLinks));
        Assert.Equal((0L, 1L), (two.Files, two.HardLinks));
        Assert.Equal((0L, 1L), (single.Files, single.HardLinks));
        string inode = Inode("clones/one/file");
        Assert.Equal(inode, Inode("clones/two/linked"));
        Assert.Equal(inode, Inode("clones/single"));
        Assert.NotEqual(inode, Inode("source/single"));
        Assert.Equal("3", Shell.Check("stat", "--format=%h", At("clones/single")).Trim());
        Assert.Equal(2, cloner.Session.Counters.HardLinks);
        Assert.Equal(1, cloner.Session.Counters.Files);
    }

    [BtrfsFact(Needs = "ln stat")]
    public void Sessions_share_no_links()
    {
        Directory.CreateDirectory(At("clones"));
        File.WriteAllText(At("one"), "data");
        Shell.Check("ln", At("one"), At("two"));

        Cloner.Clone(At("one"), At("clones/one"));
        Cloner.Clone(At("two"), At("clones/two"));

        Assert.NotEqual(Inode("clones/one"), Inode("clones/two"));
    }

    [BtrfsFact(Needs = "ln stat")]
    public void A_link_replaces_the_file_at_its_destination()
    {
        Directory.CreateDirectory(At("source/tree"));
        File.WriteAllText(At("source/tree/a"), "new");
        Shell.Check("ln", At("source/tree/a"), At("source/tree/b"));
        Directory.CreateDirectory(At("tree"));
        File.WriteAllText(At("tree/a"), "old");
        File.WriteAllText(At("tree/b"), "old");

        Cloner.Clone(At("source/tree"), CloneDestination.Into(_folder));

        Assert.Equal("new", File.ReadAllText(At("tree/a")));
        Assert.Equal(Inode("tree/a"), Inode("tree/b"));
        Assert.Equal(2, Directory.GetFileSystemEntries(At("tree")).Length);
    }

    [BtrfsFact(Needs = "ln stat")]
    public void An_item_below_a_cloned_directory_is_covered()
    {
        Directory.CreateDirectory(At("source/tree/inner"));
        Directory.CreateDirectory(At("source/tree2"));
        using Cloner cloner = new();
        Assert.False(cloner.Session.Covers(At("source/tree/inner")));

        cloner.Clone(At("source/tree"), CloneDestination.Into(At("clones")));

        Assert.True(cloner.Session.Covers(At("source/tree/inner")));
        Assert.True(cloner.Session.Covers(At("source/tree/inner/file")));
        Assert.False(cloner.Session.Covers(At("source/tree2")));
        Assert.False(cloner.Session.Covers(At("source")));
    }

    [BtrfsFact]
    public void An_item_below_a_directory_that_could_not_be_cloned_or_was_passed_over_is_covered()
    {
        Directory.CreateDirectory(At("source/refused"));
        Directory.CreateDirectory(At("source/left"));
        File.WriteAllText(At("source/file"), "");
        Directory.CreateDirectory(At("clones"));
        File.WriteAllText(At("clones/refused"), "in the way");
        using Cloner cloner = new();

        Assert.Throws<BtrfsException>(() => cloner.Clone(At("source/refused"), CloneDestination.Into(At("clones"))));
        cloner.Session.PassOver(At("source/left"));
        cloner.Session.PassOver(At("source/file"));

        Assert.True(cloner.Session.Covers(At("source/refused/file")));
        Assert.True(cloner.Session.Covers(At("source/left/file")));
        Assert.False(cloner.Session.Covers(At("source/file/file")));
    }

    private string At(string path) => Path.Combine(_folder, path);

    private string Inode(string path) => Shell.Check("stat", "--format=%i", At(path)).Trim();
}
