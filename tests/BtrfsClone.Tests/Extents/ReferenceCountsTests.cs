using System.Globalization;
using System.Text.RegularExpressions;
using BtrfsClone.Extents;
using BtrfsClone.Interop;
using BtrfsClone.Tests.Support;
using BtrfsClone.Walking;

namespace BtrfsClone.Tests.Extents;

/// <summary>Reference counts of extents that are there, and of those that are not, against the extent tree as btrfs dumps it.</summary>
public sealed partial class ReferenceCountsTests
{
    [RootFact(Needs = "btrfs blockdev sync cp")]
    public void Places_without_an_extent_have_none_whatever_follows_them()
    {
        using ScratchImage image = new(
            256L << 20, "noatime", "mkfs.btrfs", "--quiet", "--mixed", "--nodesize", "4096", "--sectorsize", "4096");
        string file = Path.Combine(image.Root, "file");
        byte[] block = new byte[4096];
        for (int i = 0; i < 2000; i++)
        {
            File.WriteAllBytes($"{file}{i}", block);
        }

        Shell.Check("cp", "--reflink=always", file + "7", file);
        Shell.Check("sync", "--file-system", image.Root);
        Shell.Check("blockdev", "--flushbufs", image.Device);
        string[] lines = Shell.Check("btrfs", "inspect-internal", "dump-tree", "-t", "extent", image.Device).Split('\n');
        Dictionary<long, ulong> expected = [];
        HashSet<long> others = [];
        for (int i = 0; i < lines.Length; i++)
        {
            if (Extent().Match(lines[i]) is { Success: true } extent)
            {
                expected.Add(
                    long.Parse(extent.Groups[1].Value, CultureInfo.InvariantCulture),
                    ulong.Parse(Count().Match(lines[i + 1]).Groups[1].Value, CultureInfo.InvariantCulture));
            }
            else if (Other().Match(lines[i]) is { Success: true } other)
            {
                others.Add(long.Parse(other.Groups[1].Value, CultureInfo.InvariantCulture));
            }
        }

        Assert.True(expected.Count >= 2000, $"{expected.Count}");
        Assert.Contains(2UL, expected.Values);
        Assert.True(others.Count > 100, $"{others.Count}");
        long[] places = [.. expected.Keys.Concat(others).Order()];
        Assert.True(OpenDirectory.At(image.Root, out Descriptor root).Succeeded);
        using DescriptorScope closing = new(root);
        ReferenceCounts counts = new(root, image.Root);
        foreach (long place in places)
        {
            Assert.Equal((place, expected.GetValueOrDefault(place)), (place, counts.Of(place)));
        }

        // Each by itself, with other items behind it alone.
        foreach (long place in places.Where(place => !expected.ContainsKey(place)))
        {
            Assert.Equal(0UL, new ReferenceCounts(root, image.Root).Of(place));
        }
    }

    [GeneratedRegex(@"^\titem \d+ key \((\d+) EXTENT_ITEM \d+\)")]
    private static partial Regex Extent();

    [GeneratedRegex(@"^\t\trefs (\d+) gen")]
    private static partial Regex Count();

    [GeneratedRegex(@"^\titem \d+ key \((\d+) METADATA_ITEM \d+\)")]
    private static partial Regex Other();
}
