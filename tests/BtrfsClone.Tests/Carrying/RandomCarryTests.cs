using System.Globalization;
using BtrfsClone.Carrying;
using BtrfsClone.Cloning;
using BtrfsClone.Tests.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Carrying;

/// <summary>Random trees whose files share data, copied to another filesystem: equal, and sharing what they shared.</summary>
public sealed class RandomCarryTests
{
    private static readonly string[] s_btrfs = ["mkfs.btrfs", "--quiet", "--metadata", "single"];
    private static readonly string[] s_xfs = ["mkfs.xfs", "-q", "-m", "reflink=1"];

    // xfs lists ACLs to root as xattrs as well.
    private const string XfsLists = "--filter=-x trusted.SGI_ACL*";
    private const string XfsLacks = "--filter=-x btrfs.compression";

    private static int Count => TestMachine.IsThorough ? 100 : 6;

    [RootFact(Needs = "cp diff rsync setfacl setfattr")]
    public void From_btrfs_to_btrfs() => Run(s_btrfs, s_btrfs, isExact: true);

    [RootFact(Needs = "cp diff rsync setfacl setfattr mkfs.xfs")]
    public void From_btrfs_to_xfs() => Run(s_btrfs, s_xfs, isExact: false);

    [RootFact(Needs = "cp diff rsync setfacl setfattr mkfs.xfs")]
    public void From_xfs_to_btrfs() => Run(s_xfs, s_btrfs, isExact: false);

    private static void Run(string[] from, string[] to, bool isExact)
    {
        using ScratchImage source = new(1L << 30, "noatime", from);
        using ScratchImage destination = new(1L << 30, "noatime", to);
        int first = TestMachine.IsThorough ? Random.Shared.Next(1_000_000) : 1;
        for (int seed = first; seed < first + Count; seed++)
        {
            string name = seed.ToString(CultureInfo.InvariantCulture);
            string tree = Path.Combine(source.Root, name);
            string copy = Path.Combine(destination.Root, name);
            SharedTree.Make(tree, seed, isBtrfs: from == s_btrfs);

            CloneResult result = Cloner.Clone(
                tree, copy, new CloneOptions { Reflink = ReflinkMode.Auto }.KeepingSharing());

            Shell.Check("sync", "--file-system", copy);
            Shell.Check("diff", "--recursive", tree, copy);
            Assert.Equal(
                "",
                Shell.Check("rsync", "-aHAXni", "--delete", "--checksum", XfsLists, XfsLacks, tree + "/", copy + "/"));
            Assert.Equal(Times(tree), Times(copy));
            HashSet<string> leftOut = [];
            string? there = to == s_btrfs ? destination.Device : null;
            string expected = SharingWitness.Describe(
                tree, from == s_btrfs ? source.Device : null, isExact, to == s_btrfs, leftOut, SharingWitness.Inline(copy, there));
            string actual = SharingWitness.Describe(copy, there, isExact, to == s_btrfs, leftOut);
            Assert.True(expected == actual, $"Seed {name}:\n{Difference(expected, actual)}");
            if (isExact)
            {
                // What is not compressed may become so, in a file that asks for it.
                Assert.Subset(
                    SharingWitness.Compressed(copy, destination.Device), SharingWitness.Compressed(tree, source.Device));
                Assert.Equal(0, result.UnpackedLength);
            }

            Remove(tree);
            Remove(copy);
        }

        if (to == s_btrfs)
        {
            destination.Check();
        }
    }

    /// <summary>What rsync rounds: times to the nanosecond.</summary>
    private static string Times(string tree) => string.Join(
        '\n', Shell.Check("find", tree, "-printf", "%P %T@ %m %U:%G %y\\n").Split('\n').Order(StringComparer.Ordinal));

    private static void Remove(string tree)
    {
        foreach (string folder in Directory.GetDirectories(tree))
        {
            Shell.Run("btrfs", "subvolume", "delete", folder);
        }

        Shell.Check("rm", "--recursive", "--force", tree);
    }

    private static string Difference(string expected, string actual)
    {
        string[] one = expected.Split('\n');
        string[] other = actual.Split('\n');
        return string.Join('\n', one.Except(other).Take(10).Select(line => "- " + line)
            .Concat(other.Except(one).Take(10).Select(line => "+ " + line)));
    }
}
