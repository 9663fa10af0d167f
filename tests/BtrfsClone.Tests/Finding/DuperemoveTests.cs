using System.Globalization;
using System.Text.RegularExpressions;
using BtrfsClone.Finding;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Finding;

/// <summary>The same tree twice: one is searched and merged, duperemove has the other, and then the first one too.</summary>
public sealed partial class DuperemoveTests
{
    private const int Block = 4096;

    [RootTheory(Needs = "duperemove btrfs sync")]
    [InlineData(1)]
    [InlineData(2)]
    public void Duperemove_frees_no_more_and_finds_nothing_afterwards(int seed)
    {
        using ScratchImage ours = NewTree(seed);
        using ScratchImage theirs = NewTree(seed);
        long before = DataUsage.Of(ours.Root);
        Assert.Equal(before, DataUsage.Of(theirs.Root));

        List<BtrfsDuplicate> groups = Finder.Find(new FindOptions(), ours.Root);
        DuplicateMerger merger = new(new SessionEvents { OnFailure = failure => Assert.Fail(failure.Message) });
        groups.ForEach(group => merger.Merge(group, CancellationToken.None));
        long freed = before - DataUsage.Of(ours.Root);
        Dedupe(theirs);
        long freedByDuperemove = before - DataUsage.Of(theirs.Root);
        long merged = merger.Counters.DedupedLength;
        long foundAfterwards = Dedupe(ours);

        Assert.True(freedByDuperemove > 0);
        Assert.True(freed >= freedByDuperemove, $"{freed} bytes came free here, {freedByDuperemove} with duperemove.");
        Assert.InRange(groups.Sum(group => group.ReclaimableLength), 0.99 * freed, 1.01 * freed);
        Assert.InRange(foundAfterwards, 0, merged / 100);
        Assert.InRange(before - DataUsage.Of(ours.Root), freed, freed * 1.01);
    }

    private static ScratchImage NewTree(int seed)
    {
        ScratchImage image = new(2L << 30, "noatime", "mkfs.btrfs", "--quiet");
        Random random = new(seed);
        List<byte[]> contents = [];
        string[] folders = ["", "a", "a/b", "c"];
        Directory.CreateDirectory(Path.Combine(image.Root, "a/b"));
        Directory.CreateDirectory(Path.Combine(image.Root, "c"));
        for (int i = 0; i < 120; i++)
        {
            byte[] content = contents.Count == 0 ? NewBytes(random, 100_000) : Content(random, contents);
            File.WriteAllBytes(Path.Combine(image.Root, folders[random.Next(folders.Length)], $"f{i}"), content);
            contents.Add(content);
        }

        return image;
    }

    /// <summary>New data, a copy, one shifted by blocks, one changed in the middle, one twice in a row, or zeros.</summary>
    private static byte[] Content(Random random, List<byte[]> contents)
    {
        byte[] other = contents[random.Next(contents.Count)];
        int blocks = other.Length / Block;
        switch (random.Next(10))
        {
            case 0 or 1:
                return other;
            case 2 or 3:
                return
                [
                    .. NewBytes(random, random.Next(5) * Block), .. other[(random.Next(blocks + 1) * Block)..],
                    .. NewBytes(random, random.Next(3) * 5000),
                ];
            case 4:
                byte[] changed = [.. other];
                random.NextBytes(changed.AsSpan(random.Next(changed.Length), 1));
                return changed;
            case 5:
                return [.. other, .. other[..(blocks * Block)]];
            case 6:
                return [.. new byte[random.Next(2, 20) * Block], .. NewBytes(random, 20_000)];
            default:
                int[] sizes = [3000, Block, 9000, 50_000, 200_000, 700_000, 1_500_000];
                return NewBytes(random, sizes[random.Next(sizes.Length)]);
        }
    }

    private static byte[] NewBytes(Random random, int length)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>Runs duperemove without a file of hashes. Returns the bytes that it says are shared now and were not before.</summary>
    private static long Dedupe(ScratchImage image)
    {
        string said = Shell.Check("duperemove", "-dr", "-b", "4096", image.Root);
        Match change = NetChange().Match(said);
        return change.Success ? long.Parse(change.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : 0;
    }

    [GeneratedRegex(@"net change in shared extents of: (\d+)")]
    private static partial Regex NetChange();
}
