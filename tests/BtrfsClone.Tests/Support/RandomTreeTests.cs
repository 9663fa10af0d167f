namespace BtrfsClone.Tests.Support;

/// <summary>The random trees hold what they promise, and the witness tells trees apart.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class RandomTreeTests(ScratchBtrfs btrfs)
{
    private const string Needs = RandomTree.Tools + " " + TreeFacts.Tools;

    [BtrfsFact(Needs = Needs)]
    public void A_tree_holds_every_kind_of_entry_and_metadata()
    {
        string tree = Path.Combine(btrfs.NewFolder(), "tree");
        RandomTree.Make(tree, seed: 1);

        TreeFacts facts = TreeFacts.Of(tree);

        EntryFacts[] entries = [.. facts.Entries.Values];
        string[] types = TestMachine.NoRoot is null ? ["f", "d", "l", "p", "s", "c", "b"] : ["f", "d", "l", "p", "s"];
        Assert.All(types, type => Assert.Contains(entries, e => e["type"] == type));
        Assert.Contains(entries, e => e.ContainsKey(TreeFacts.HardLinks) && e["type"] == "f");
        Assert.Contains(entries, e => e.ContainsKey("system.posix_acl_access"));
        Assert.Contains(entries, e => e.ContainsKey("system.posix_acl_default"));
        Assert.Contains(entries, e => e.ContainsKey("btrfs.compression"));
        Assert.Contains(entries, e => e.Keys.Any(k => k.StartsWith("user.", StringComparison.Ordinal)));

        // Not 'm': the kernel has its own ideas of what cannot be compressed, and they depend on when it writes.
        Assert.All("CcdAS", flag => Assert.Contains(
            entries, e => e.TryGetValue(TreeFacts.Flags, out string? flags) && flags.Contains(flag, StringComparison.Ordinal)));
        Assert.All(["inline", "encoded", "unwritten"], kind => Assert.Contains(
            entries, e => e.IsFile && e[TreeFacts.Extents].Contains(kind, StringComparison.Ordinal)));
        Assert.Contains(facts.Entries.Keys, p => p.Any(c => c >= 0xFE));
        Assert.True(facts.Entries.Count(e => e.Key.StartsWith("wide/", StringComparison.Ordinal)) >= 3000);
        Assert.True(facts.Entries.Keys.Max(p => p.Count(c => c == '/')) >= 60);
    }

    [BtrfsFact(Needs = Needs)]
    public void The_witness_sees_each_single_difference()
    {
        string folder = btrfs.NewFolder();
        string file = Path.Combine(folder, "file");
        File.WriteAllBytes(file, new byte[8192]);
        TreeFacts before = TreeFacts.Of(folder);
        before.AssertEqual(TreeFacts.Of(folder), TreeFacts.Unstable(btrfs));

        Shell.Check("touch", "--date=@1.000000001", file);
        string found = before.DifferencesOf(TreeFacts.Of(folder), TreeFacts.Unstable(btrfs));
        Assert.Contains("file: mtime: expected", found, StringComparison.Ordinal);

        before = TreeFacts.Of(folder);
        Shell.Check("setfattr", "--name=user.x", "--value=1", file);
        Assert.Equal("file: user.x: expected (none), found 0x31", before.DifferencesOf(TreeFacts.Of(folder), TreeFacts.Unstable(btrfs)));

        before = TreeFacts.Of(folder);
        Shell.Check("chattr", "+d", file);
        Assert.Equal("file: flags: expected , found d", before.DifferencesOf(TreeFacts.Of(folder), TreeFacts.Unstable(btrfs)));

        before = TreeFacts.Of(folder);
        File.WriteAllBytes(Path.Combine(folder, "new"), []);
        found = before.DifferencesOf(TreeFacts.Of(folder), TreeFacts.Unstable(btrfs));
        Assert.Contains("new: ought not to exist", found, StringComparison.Ordinal);
    }

    [RootFact(Needs = Needs)]
    public void What_cp_makes_of_a_tree_is_equal_but_for_flags()
    {
        string folder = btrfs.NewFolder();
        string tree = Path.Combine(folder, "tree");
        RandomTree.Make(tree, seed: 2, new TreeShape { Nocow = false });
        TreeFacts source = TreeFacts.Of(tree);
        string copy = Path.Combine(folder, "copy");

        Shell.Check("cp", "--archive", "--reflink=always", tree, copy);

        TreeFacts copied = TreeFacts.Of(copy);
        source.AssertEqual(copied, TreeFacts.Flags, TreeFacts.BeyondEnd);
        Assert.Empty(copied.Unshared);
    }
}
