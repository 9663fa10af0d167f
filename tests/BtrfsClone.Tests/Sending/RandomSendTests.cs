using System.Globalization;
using BtrfsClone.Sending;
using BtrfsClone.Tests.Carrying;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Sending;

/// <summary>What <c>btrfs receive</c> makes of the stream of a random tree: equal, and sharing what it shared.</summary>
public sealed class RandomSendTests
{
    private const string Needs = RandomTree.Tools + " " + TreeFacts.Tools;

    private static int Count => TestMachine.IsThorough ? 60 : 3;

    [RootTheory(Needs = "cp diff")]
    [InlineData(1)]
    [InlineData(2)]
    public void Sharing_is_that_of_the_source(int protocol) =>
        Run(["mkfs.btrfs", "--quiet", "--metadata", "single"], protocol);

    [RootFact(Needs = "cp diff mkfs.xfs")]
    public void Sharing_is_that_of_an_xfs() => Run(["mkfs.xfs", "-q", "-m", "reflink=1"], 2);

    [RootTheory(Needs = Needs)]
    [InlineData(51, 1)]
    [InlineData(52, 2)]
    [InlineData(53, 2)]
    public void Every_field_is_that_of_the_source(int seed, int protocol)
    {
        using ScratchImage source = new(1L << 30, "noatime", "mkfs.btrfs", "--quiet", "--metadata", "single");
        using Receiver receiver = new();
        string tree = Path.Combine(source.Root, "tree");
        RandomTree.Make(tree, seed, new TreeShape { WideEntries = 700, Depth = 20 });
        TreeFacts before = TreeFacts.Of(tree);

        string received = receiver.Carry(tree, protocol, out SendResult result);

        Assert.Empty(receiver.Failures);
        string[] notSent = protocol == 1 ? [TreeFacts.BeyondEnd, "blocks"] : [];
        before.AssertEqual(TreeFacts.OfWritten(received), [TreeFacts.Flags, TreeFacts.Extents, .. notSent]);
        Assert.Equal(before.Entries.Values.Count(entry => entry["type"] == "d"), result.Directories);
        Assert.Equal(
            before.Entries.Where(e => e.Value.IsFile && e.Value.GetValueOrDefault(TreeFacts.HardLinks, e.Key) == e.Key)
                .Sum(e => e.Value.Size),
            result.Length);
        receiver.Check();
    }

    private static void Run(string[] mkfs, int protocol)
    {
        bool isBtrfs = mkfs[0] == "mkfs.btrfs";
        bool isExact = isBtrfs && protocol > 1;
        using ScratchImage source = new(1L << 30, "noatime", mkfs);
        using Receiver receiver = new();
        int first = TestMachine.IsThorough ? Random.Shared.Next(1_000_000) : 1;
        for (int seed = first; seed < first + Count; seed++)
        {
            string name = seed.ToString(CultureInfo.InvariantCulture);
            string tree = Path.Combine(source.Root, name);
            SharedTree.Make(tree, seed, isBtrfs);

            string copy = receiver.Carry(tree, protocol, out _);

            Assert.Empty(receiver.Failures);
            Shell.Check("diff", "--recursive", tree, copy);
            HashSet<string> leftOut = [];
            string expected = SharingWitness.Describe(tree, isBtrfs ? source.Device : null, isExact, withTails: true, leftOut);
            string actual = SharingWitness.Describe(copy, receiver.Device, isExact, withTails: true, leftOut);
            Assert.True(expected == actual, $"Seed {name}:\n{Difference(expected, actual)}");

            Receiver.Remove(copy);
            foreach (string folder in Directory.GetDirectories(tree))
            {
                Shell.Run("btrfs", "subvolume", "delete", folder);
            }

            Shell.Check("rm", "--recursive", "--force", tree);
        }

        receiver.Check();
    }

    private static string Difference(string expected, string actual)
    {
        string[] one = expected.Split('\n');
        string[] other = actual.Split('\n');
        return string.Join('\n', one.Except(other).Take(10).Select(line => "- " + line)
            .Concat(other.Except(one).Take(10).Select(line => "+ " + line)));
    }
}
