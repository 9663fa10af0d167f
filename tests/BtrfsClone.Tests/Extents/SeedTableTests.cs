using BtrfsClone.Extents;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Extents;

/// <summary>The table that the project begins with: 4 KiB overwritten in the middle of a 100 MiB extent.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class SeedTableTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    [RootFact(Needs = "fallocate dd sync")]
    public void An_overwrite_parts_an_extent_and_a_clone_doubles_its_references()
    {
        string foo = Path.Combine(_folder, "foo");
        // Its room is reserved first: the kernel may start to write out what is half written, each part to a place of its own.
        Shell.Check("fallocate", "--length", "100M", foo);
        Shell.Check("dd", "if=/dev/zero", $"of={foo}", "bs=1M", "count=100", "conv=notrunc");
        Shell.Check("sync");
        Shell.Check("dd", "if=/dev/zero", $"of={foo}", "bs=4k", "count=1", "seek=100", "conv=notrunc");
        Shell.Check("sync");

        BtrfsExtent[] before = Read(foo);

        Assert.Equal([0, 409600, 413696], before.Select(e => e.Offset));
        Assert.Equal([409600, 4096, 104443904], before.Select(e => e.Length));
        Assert.Equal([0, 0, 413696], before.Select(e => e.ExtentOffset));
        Assert.Equal([104857600, 4096, 104857600], before.Select(e => e.DiskLength));
        Assert.Equal(before[0].DiskOffset, before[2].DiskOffset);
        Assert.NotEqual(before[0].DiskOffset, before[1].DiskOffset);
        Assert.Equal([2, 1, 2], before.Select(e => e.ReferenceCount));
        Assert.All(before, e => Assert.Equal(("Data", "None", false), (e.Kind, e.Compression, e.IsShared)));

        Cloning.Cloner.Clone(foo, Path.Combine(_folder, "clone"));

        // At once, though the references are not yet in the extent tree.
        Assert.All(Read(foo), e => Assert.True(e.IsShared));
        Shell.Check("sync");
        foreach (BtrfsExtent[] after in new[] { Read(foo), Read(Path.Combine(_folder, "clone")) })
        {
            Assert.Equal([4, 2, 4], after.Select(e => e.ReferenceCount));
            Assert.All(after, e => Assert.True(e.IsShared));
            Assert.Equal(before.Select(Place), after.Select(Place));
        }
    }

    private static (long, long, long?, long?) Place(BtrfsExtent extent) =>
        (extent.Offset, extent.Length, extent.DiskOffset, extent.ExtentOffset);

    private static BtrfsExtent[] Read(string path)
    {
        using ExtentReader reader = new(new ExtentReaderOptions { Source = ExtentSource.Tree });
        return [.. reader.ReadAll(path)];
    }
}
