using System.Globalization;
using System.Text.RegularExpressions;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>Clones share extents, piece by piece, and write no data.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed partial class SharingTests(ScratchBtrfs btrfs)
{
    private const int Block = 4096;

    [RootFact(Needs = "fallocate dd sync cmp")]
    public void An_overwritten_extent_is_cloned_with_its_offsets()
    {
        // A file system of its own, whose free space is in one piece.
        using ScratchImage image = new(1L << 30, "noatime", "mkfs.btrfs", "--quiet");
        string source = Path.Combine(image.Root, "foo");
        string clone = Path.Combine(image.Root, "clone");
        // Its room is reserved first: the kernel may start to write out what is half written, each part to a place of its own.
        Shell.Check("fallocate", "--length", "100M", source);
        Shell.Check("dd", "if=/dev/zero", "of=" + source, "bs=1M", "count=100", "conv=notrunc", "status=none");
        Shell.Check("sync", "--file-system", image.Root);
        Shell.Check("dd", "if=/dev/zero", "of=" + source, "bs=4k", "count=1", "seek=100", "conv=notrunc", "status=none");
        Shell.Check("sync", "--file-system", image.Root);

        Cloner.Clone(source, clone);

        Shell.Check("sync", "--file-system", image.Root);
        FileExtent[] pieces = Extents(image, source);
        (long old, long overwritten) = (pieces[0].DiskOffset, pieces[1].DiskOffset);
        Assert.Equal(
            [
                new FileExtent(0, old, 104857600, 0, 409600),
                new FileExtent(409600, overwritten, Block, 0, Block),
                new FileExtent(413696, old, 104857600, 413696, 104443904),
            ],
            pieces);
        Assert.NotEqual(old, overwritten);
        Assert.Equal(pieces, Extents(image, clone));
        Assert.Equal(4, References(image, old));
        Assert.Equal(2, References(image, overwritten));

        string copy = Path.Combine(image.Root, "copy");
        Shell.Check("cp", "--reflink=never", source, copy);
        Shell.Check("dd", "if=/dev/urandom", "of=" + clone, "bs=4k", "count=1", "seek=7", "conv=notrunc", "status=none");
        Shell.Check("sync", "--file-system", image.Root);
        Shell.Check("cmp", source, copy);
        Assert.Equal(1, Shell.Run("cmp", "--silent", source, clone).ExitCode);
    }

    [RootFact(Needs = RandomTree.Tools + " " + TreeFacts.Tools)]
    public void A_tree_clone_writes_no_data()
    {
        string folder = btrfs.NewFolder();
        string source = Path.Combine(folder, "source");
        RandomTree.Make(source, seed: 71, new TreeShape { BeyondEnd = false });
        for (int i = 0; i < 4; i++)
        {
            Shell.Check("dd", "if=/dev/urandom", $"of={source}/large{i}", "bs=1M", "count=32", "status=none");
        }

        Shell.Check("sync", "--file-system", source);
        long used = DataUsage.Of(btrfs.Root);
        long written = WrittenBytes();

        Cloner.Clone(source, Path.Combine(folder, "clone"));

        Shell.Check("sync", "--file-system", source);
        Assert.Equal(used, DataUsage.Of(btrfs.Root));
        // Metadata alone: a fraction of the 128 MiB.
        Assert.InRange(WrittenBytes() - written, 0, 32L << 20);
    }

    [BtrfsFact(Needs = RandomTree.Tools + " " + TreeFacts.Tools)]
    public void A_tree_clone_holds_no_extent_alone()
    {
        string folder = btrfs.NewFolder();
        string source = Path.Combine(folder, "source");
        string clone = Path.Combine(folder, "clone");
        RandomTree.Make(source, seed: 72, new TreeShape { WideEntries = 10, Privileged = false, BeyondEnd = false });

        Cloner.Clone(source, clone);

        Shell.Check("sync", "--file-system", source);
        // The second line's second column: bytes that only this tree refers to.
        string usage = Shell.Check("btrfs", "filesystem", "du", "--summarize", "--raw", clone);
        string[] columns = usage.Split('\n')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("0", columns[1]);
        Assert.NotEqual("0", columns[0]);
    }

    [BtrfsFact(Needs = TreeFacts.Tools)]
    public void Data_that_is_not_written_out_yet_is_cloned()
    {
        string folder = btrfs.NewFolder();
        string source = Directory.CreateDirectory(Path.Combine(folder, "source")).FullName;
        Random random = new(73);
        byte[] data = new byte[3 << 20];
        random.NextBytes(data);
        for (int i = 0; i < 20; i++)
        {
            File.WriteAllBytes(Path.Combine(source, $"file{i}"), data[..random.Next(data.Length)]);
        }

        Cloner.Clone(source, Path.Combine(folder, "clone"));

        TreeFacts cloned = TreeFacts.Of(Path.Combine(folder, "clone"));
        TreeFacts.Of(source).AssertEqual(cloned, TreeFacts.Unstable(btrfs));
        Assert.Empty(cloned.Unshared);
        Shell.Check("diff", "--recursive", source, Path.Combine(folder, "clone"));
    }

    /// <summary>What the scratch device was told to write, in bytes (Documentation/block/stat.rst: 512-byte sectors).</summary>
    private long WrittenBytes()
    {
        string statistics = File.ReadAllText($"/sys/block/{Path.GetFileName(btrfs.Device)}/stat");
        string sectors = statistics.Split(' ', StringSplitOptions.RemoveEmptyEntries)[6];
        return long.Parse(sectors, CultureInfo.InvariantCulture) * 512;
    }

    private static FileExtent[] Extents(ScratchImage image, string path)
    {
        string inode = Shell.Check("stat", "--format=%i", path).Trim();
        string tree = Shell.Check("btrfs", "inspect-internal", "dump-tree", "--tree", "5", image.Device);
        return
        [
            .. FileExtentPattern().Matches(tree).Where(m => m.Groups[1].Value == inode).Select(m => new FileExtent(
                Number(m, 2), Number(m, 3), Number(m, 4), Number(m, 5), Number(m, 6))),
        ];
    }

    private static long References(ScratchImage image, long diskOffset)
    {
        string tree = Shell.Check("btrfs", "inspect-internal", "dump-tree", "--tree", "extent", image.Device);
        return Number(Regex.Match(tree, $@"key \({diskOffset} EXTENT_ITEM \d+\).*\n\s+refs (\d+)"), 1);
    }

    private static long Number(Match match, int group) => long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(
        @"key \((\d+) EXTENT_DATA (\d+)\).*\n.*\n\s+extent data disk byte (\d+) nr (\d+)\n" +
        @"\s+extent data offset (\d+) nr (\d+)")]
    private static partial Regex FileExtentPattern();

    /// <summary>A file extent item as dump-tree prints it, in bytes.</summary>
    private sealed record FileExtent(long Offset, long DiskOffset, long DiskLength, long ExtentOffset, long Length);
}
