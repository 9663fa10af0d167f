using BtrfsClone.Extents;
using BtrfsClone.Measuring;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Measuring;

/// <summary>What items take on disk, against <c>btrfs filesystem du</c> and compsize.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class MeasureTests(ScratchBtrfs btrfs)
{
    private const int Block = 4096;
    private static readonly SessionEvents s_events = new() { OnFailure = failure => throw failure };

    private readonly string _folder = btrfs.NewFolder();

    [RootTheory(Needs = RandomTree.Tools + " cp touch " + Witness.Tools)]
    [InlineData(201)]
    public void A_random_tree_is_what_du_and_compsize_say(int seed)
    {
        RandomTree.Make(At("tree"), seed, new TreeShape { Depth = 8, WideEntries = 600 });
        // Half of the clone's extents are used outside of what is measured, and some twice inside.
        Shell.Run("cp", "--archive", "--reflink=auto", At("tree"), At("clone"));
        Directory.CreateDirectory(At("both"));
        Shell.Run("cp", "--archive", "--reflink=auto", At("tree"), At("both/one"));
        Shell.Run("cp", "--archive", "--reflink=auto", At("tree"), At("both/other"));
        Shell.Check("sync", "--file-system", _folder);

        foreach (string item in (string[])["tree", "clone", "both", "."])
        {
            Witness.AssertEqual(At(item), Measure(item));
            // With a transaction running, the extent tree does not tell all.
            Shell.Check("touch", At("touched"));
            Witness.AssertEqual(At(item), Measure(item));
        }
    }

    [BtrfsTheory(Needs = RandomTree.Tools + " cp")]
    [InlineData(203)]
    public void Without_the_trees_a_random_tree_is_what_du_says(int seed)
    {
        RandomTree.Make(At("tree"), seed, new TreeShape { Depth = 8, WideEntries = 600 });
        Shell.Run("cp", "--archive", "--reflink=auto", At("tree"), At("clone"));
        Shell.Check("sync", "--file-system", _folder);

        MeasureResult result = Measure(".", ExtentSource.Fiemap);

        Witness.AssertDiskUsage(_folder, result);
        Assert.Null(result.DiskLength);
        Assert.Null(result.UncompressedLength);
        Assert.Null(result.InlineLength);
        Assert.Null(result.ExtentCount);
        Assert.Null(result.CompressionRatio);
        Assert.Null(result.ByCompression);
    }

    [RootFact(Needs = "cp sync " + Witness.Tools)]
    public void An_overwritten_extent_takes_its_room_whole()
    {
        byte[] content = new byte[100 * Block];
        new Random(1).NextBytes(content);
        File.WriteAllBytes(At("file"), content);
        Shell.Check("sync", At("file"));
        using (SafeFileHandle file = File.OpenHandle(At("file"), FileMode.Open, FileAccess.Write))
        {
            RandomAccess.Write(file, content.AsSpan(0, Block), 10 * Block);
        }

        Shell.Check("sync", At("file"));

        MeasureResult result = Measure("file");

        Assert.Equal(
            (1, 100 * Block, 101 * Block, 101 * Block, 2),
            (result.Files, result.Length, result.DiskLength!.Value, result.UncompressedLength!.Value, result.ExtentCount!.Value));
        Assert.Equal((100 * Block, 0, 0), (result.ExclusiveLength, result.SharedLength, result.SetSharedLength));
        Assert.Equal(1, result.CompressionRatio);
        Witness.AssertEqual(At("file"), result);

        Shell.Check("cp", "--reflink=always", At("file"), At("clone"));
        Shell.Check("sync", At("clone"));
        Witness.AssertEqual(At("file"), Measure("file"));
        Assert.Equal((0, 100 * Block), (Measure("file").ExclusiveLength, Measure("file").SetSharedLength));
    }

    [RootFact(Needs = "btrfs chattr touch " + Witness.Tools)]
    public void A_file_of_many_extents_is_read_in_parts()
    {
        // Each second block is written, the others stay preallocated or are holes: more pieces than one part holds.
        Shell.Check("btrfs", "subvolume", "create", At("subvolume"));
        string path = At("subvolume/file");
        using (SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write))
        {
            Native.Preallocate(file, 0, 6000 * Block);
            for (int i = 0; i < 6000; i++)
            {
                RandomAccess.Write(file, BitConverter.GetBytes(i), ((2L * i) + (i < 3000 ? 0 : 6000)) * Block);
            }
        }

        Shell.Check("sync", path);
        Witness.AssertEqual(path, Measure("subvolume/file"));
        Shell.Check("btrfs", "subvolume", "snapshot", At("subvolume"), At("snapshot"));
        using (SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Write))
        {
            // Not the first: an extent that is written in part counts as what the first piece of it is, and of two files
            // either may come first.
            for (int i = 1; i < 3000; i += 7)
            {
                RandomAccess.Write(file, new byte[Block], 2L * i * Block);
            }
        }

        Shell.Check("sync", path);
        Shell.Check("sync", "--file-system", _folder);
        Witness.AssertEqual(path, Measure("subvolume/file"));
        Witness.AssertEqual(At("snapshot"), Measure("snapshot"));
        Shell.Check("touch", At("touched"));
        Witness.AssertEqual(path, Measure("subvolume/file"));
        Witness.AssertEqual(_folder, Measure("."));
    }

    [RootFact(Needs = "filefrag")]
    public void What_is_not_written_yet_is_not_counted()
    {
        for (int attempt = 0; attempt < 20; attempt++)
        {
            // Under memory pressure the kernel writes everything at once.
            Thread.Sleep(attempt * 5);
            File.WriteAllBytes(At($"file{attempt}"), new byte[10 * Block]);

            MeasureResult result = Measure($"file{attempt}");

            // It has no place while it is delayed, which ends when the kernel likes.
            if (Shell.Check("filefrag", "-v", At($"file{attempt}")).Contains("delalloc", StringComparison.Ordinal))
            {
                Assert.Equal(
                    (1, 0, 0, 0), (result.Files, result.Length, result.DiskLength!.Value, result.ExtentCount!.Value));
                Assert.Null(result.CompressionRatio);
                Assert.Empty(result.ByCompression!);
                return;
            }

            // A kernel that is busy with other devices writes at once.
            Assert.Equal(1, result.Files);
        }
    }

    [BtrfsTheory(Needs = "sync")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_with_several_names_is_counted_once(bool byTree)
    {
        Directory.CreateDirectory(At("tree/below"));
        File.WriteAllBytes(At("tree/a"), new byte[5 * Block]);
        File.WriteAllBytes(At("tree/inline"), new byte[100]);
        foreach (string name in (string[])["tree/b", "tree/below/c"])
        {
            Native.Link(At("tree/a"), At(name));
            Native.Link(At("tree/inline"), At(name + "-inline"));
        }

        Shell.Check("sync", "--file-system", _folder);

        MeasureResult result = Measure("tree", byTree ? ExtentSource.Auto : ExtentSource.Fiemap);

        Assert.Equal((2, 5 * Block), (result.Files, result.Length));
        Witness.AssertDiskUsage(At("tree"), result);
        if (result.DiskLength is long disk)
        {
            Assert.Equal((100, (5 * Block) + 100), (result.InlineLength, disk));
        }
    }

    [RootFact]
    public void Another_filesystem_inside_is_passed_over()
    {
        Directory.CreateDirectory(At("tree/mounted"));
        File.WriteAllBytes(At("tree/file"), new byte[2 * Block]);
        Shell.Check("mount", "-t", "tmpfs", "none", At("tree/mounted"));
        File.WriteAllBytes(At("tree/mounted/file"), new byte[2 * Block]);
        Shell.Check("sync", "--file-system", _folder);
        try
        {
            Assert.Equal((1, 2 * Block), (Measure("tree").Files, Measure("tree").Length));
            Assert.Equal((1, 2 * Block), (Measure("tree", ExtentSource.Fiemap).Files, Measure("tree").Length));
        }
        finally
        {
            Shell.Check("umount", At("tree/mounted"));
        }
    }

    [BtrfsFact(Needs = "mkfifo")]
    public void What_has_no_data_is_refused()
    {
        Shell.Check("mkfifo", At("fifo"));
        File.CreateSymbolicLink(At("link"), "nowhere");
        using MeasureSession session = new(new MeasureOptions(), s_events);

        Assert.Equal(BtrfsError.NotRegularFile, Refusal(session, "fifo"));
        Assert.Equal(BtrfsError.NotRegularFile, Refusal(session, "link"));
        Assert.Equal(BtrfsError.SourceNotFound, Refusal(session, "missing"));

        // And the session measures on.
        Directory.CreateDirectory(At("empty"));
        MeasureResult result = session.Measure(At("empty"), CancellationToken.None);
        Assert.Equal((0, 0, 0), (result.Files, result.Length, result.SetSharedLength));
    }

    [BtrfsFact]
    public void A_cancelled_measurement_ends()
    {
        using CancellationTokenSource source = new();
        source.Cancel();
        using MeasureSession session = new(new MeasureOptions(), s_events);

        Assert.ThrowsAny<OperationCanceledException>(() => session.Measure(_folder, source.Token));
    }

    [Fact]
    public void Ranges_count_each_byte_once()
    {
        Random random = new(3);
        bool[] covered = new bool[100_000];
        RangeSet ranges = new();
        for (int i = 0; i < 5000; i++)
        {
            int start = random.Next(covered.Length - 40);
            int length = random.Next(1, 40);
            ranges.Add(start, length);
            covered.AsSpan(start, length).Fill(true);
        }

        Assert.Equal(covered.Count(c => c), ranges.Sum());
        ranges.Clear();
        Assert.Equal(0, ranges.Sum());
    }

    [Fact]
    public void Extents_are_known_again()
    {
        Random random = new(4);
        HashSet<long> expected = [];
        ExtentSet extents = new();
        for (int i = 0; i < 100_000; i++)
        {
            long place = Block * random.NextInt64(1, 60_000);
            Assert.Equal(expected.Add(place), extents.Add(place));
        }
    }

    private static MeasureResult Measure(MeasureSession session, string path) => session.Measure(path, CancellationToken.None);

    private BtrfsError Refusal(MeasureSession session, string item) =>
        Assert.Throws<BtrfsException>(() => Measure(session, At(item))).Error;

    private MeasureResult Measure(string item, ExtentSource source = ExtentSource.Auto)
    {
        using MeasureSession session = new(new MeasureOptions { Source = source }, s_events);
        MeasureResult result = Measure(session, At(item));
        Assert.Equal(At(item), result.Path);
        Assert.Equal(0, result.Failed);
        return result;
    }

    private string At(string path) => Path.GetFullPath(Path.Combine(_folder, path));
}
