using System.Globalization;
using System.Text.RegularExpressions;
using BtrfsClone.Measuring;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Measuring;

/// <summary>What would come free, against what the filesystem gets back when the items are deleted.</summary>
public sealed partial class ReclaimableTests
{
    private const string Tools = RandomSubvolumes.Tools + " rm";
    private const int Block = 4096;

    private static readonly int s_filesystems = TestMachine.IsThorough ? 50 : 3;

    [RootFact(Needs = Tools)]
    public void The_filesystem_gets_back_what_was_told()
    {
        const int SetsOfEach = 6;
        long told = 0;
        long together = 0;
        for (int seed = 1; seed <= s_filesystems; seed++)
        {
            using ScratchImage image = NewImage(seed);
            Random random = new(seed);
            using RandomSubvolumes subvolumes = new(image.Root, random);
            subvolumes.Change(60);
            for (int round = 0; round < SetsOfEach; round++)
            {
                subvolumes.Change(20);
                string[] items = Choose(subvolumes, image.Root, random);
                foreach (string item in items)
                {
                    subvolumes.CloseDeleted(item);
                }

                IReadOnlyList<MeasureResult> results = round % 3 == 0
                    ? MeasureWhileBusy(image.Root, items)
                    : Measure(detailed: true, items);
                Assert.Equal(items, results.Select(result => result.Path));

                // One of them alone first, then the others.
                MeasureResult one = results[random.Next(results.Count)];
                long used = UsedData(image.Root);
                subvolumes.Remove(one.Path);
                Assert.Equal((seed, round, one.Path, one.ReclaimableLength), (seed, round, one.Path, used - UsedData(image.Root)));
                foreach (string item in items)
                {
                    subvolumes.Remove(item);
                }

                Assert.All(
                    results,
                    result => Assert.Equal(
                        (seed, round, result.SetReclaimableLength), (seed, round, used - UsedData(image.Root))));
                told += results[0].SetReclaimableLength!.Value;
                together += CheckGroups(results);
            }
        }

        Assert.True(told > 100 * Block && together > 10 * Block, $"Too little came free to prove anything: {told}, {together}.");
    }

    [RootFact(Needs = "btrfs cp sync")]
    public void Each_way_to_share_counts_as_it_holds()
    {
        using ScratchImage image = NewImage();
        string At(string path) => Path.Combine(image.Root, path);
        Shell.Check("btrfs", "subvolume", "create", At("sub"));
        File.WriteAllBytes(At("sub/file"), Random.Shared.GetItems(new byte[] { 1, 2 }, 10 * Block));
        File.WriteAllBytes(At("own"), new byte[3 * Block]);
        Shell.Check("sync", "--file-system", image.Root);

        // By itself; then with a clone of one block, which holds the whole extent; then with a snapshot, which shares the leaf.
        Assert.Equal((10 * Block, 10 * Block), Numbers(At("sub/file"))[0]);
        using (SafeFileHandle source = File.OpenHandle(At("sub/file")))
        using (SafeFileHandle part = File.OpenHandle(At("part"), FileMode.CreateNew, FileAccess.Write))
        {
            Native.CloneRange(source, Block, Block, part, 0);
        }

        Assert.Equal((0, 0), Numbers(At("sub/file"))[0]);
        Assert.Equal([(0, 10 * Block), (0, 10 * Block)], Numbers(At("sub/file"), At("part")));
        File.Delete(At("part"));
        Assert.Equal((10 * Block, 10 * Block), Numbers(At("sub/file"))[0]);
        Shell.Check("btrfs", "subvolume", "snapshot", "-r", At("sub"), At("snap"));
        Assert.Equal((0, 0), Numbers(At("sub/file"))[0]);
        Assert.Equal((0, 0), Numbers(At("sub"))[0]);
        Assert.Equal([(0, 10 * Block), (0, 10 * Block)], Numbers(At("sub"), At("snap/file")));

        // The same item twice, and an item in another one: what either alone gives back.
        Assert.Equal([(3 * Block, 3 * Block), (3 * Block, 3 * Block)], Numbers(At("own"), At("own")));
        Assert.Equal([(3 * Block, 13 * Block), (13 * Block, 13 * Block)], Numbers(At("own"), image.Root));
    }

    [RootFact(Needs = "btrfs sync")]
    public void A_name_outside_and_an_open_deleted_file_hold_what_they_have()
    {
        using ScratchImage image = NewImage();
        string At(string path) => Path.Combine(image.Root, path);
        Directory.CreateDirectory(At("one"));
        Directory.CreateDirectory(At("other"));
        File.WriteAllBytes(At("one/file"), new byte[4 * Block]);
        Native.Link(At("one/file"), At("other/file"));
        Native.Link(At("one/file"), At("other/again"));
        Shell.Check("sync", "--file-system", image.Root);

        Assert.Equal((0, 0), Numbers(At("one"))[0]);
        Assert.Equal((0, 0), Numbers(At("other"))[0]);
        Assert.Equal([(0, 4 * Block), (0, 4 * Block)], Numbers(At("one"), At("other")));
        Assert.Equal(3, Numbers(At("one/file"), At("other/file"), At("other/again")).Count(number => number == (0, 4 * Block)));
        Assert.Equal((0, 0), Numbers(At("one/file"), At("other/file"))[0]);

        IReadOnlyList<MeasureResult> detailed = Measure(detailed: true, At("one"), At("other"));
        ReclaimableGroup group = Assert.Single(detailed[0].ReclaimableTogether!);
        Assert.Equal((4 * Block, At("other")), (group.Length, Assert.Single(group.With)));
        Assert.Equal(At("one"), Assert.Single(Assert.Single(detailed[1].ReclaimableTogether!).With));
        Assert.Null(Measure(detailed: false, At("one"))[0].ReclaimableTogether);

        Shell.Check("cp", "--reflink=always", At("one/file"), At("clone"));
        using (SafeFileHandle open = File.OpenHandle(At("clone")))
        {
            File.Delete(At("clone"));
            Assert.Equal((0, 0), Numbers(At("one"), At("other"))[0]);
        }

        Assert.Equal((0, 4 * Block), Numbers(At("one"), At("other"))[0]);
    }

    [RootFact(Needs = "btrfs sync")]
    public void What_could_not_be_measured_has_no_part_in_the_set()
    {
        using ScratchImage image = NewImage();
        string file = Path.Combine(image.Root, "file");
        File.WriteAllBytes(file, new byte[2 * Block]);
        using MeasureSession session = new(
            new MeasureOptions { Reclaimable = true }, new SessionEvents { OnFailure = failure => Assert.Fail(failure.Message) });
        Assert.Equal(
            BtrfsError.SourceNotFound,
            Assert.Throws<BtrfsException>(() => session.Measure(file + "x", CancellationToken.None)).Error);
        Assert.Equal(
            BtrfsError.NotBtrfs, Assert.Throws<BtrfsException>(() => session.Measure("/proc", CancellationToken.None)).Error);
        session.Measure(file, CancellationToken.None);

        MeasureResult result = Assert.Single(session.Reclaim(detailed: false, CancellationToken.None));

        Assert.Equal((2 * Block, 2 * Block), (result.ReclaimableLength, result.SetReclaimableLength));
    }

    /// <summary>Half of them have small leaves, of which files have several: some are shared with snapshots, and some not.</summary>
    private static ScratchImage NewImage(int seed = 0) => new(
        1L << 30,
        seed % 4 == 3 ? "noatime,commit=1,compress-force=zstd" : "noatime,commit=1",
        "mkfs.btrfs", "--quiet", "--metadata", "single", "--nodesize", seed % 2 == 0 ? "16384" : "4096");

    private static IReadOnlyList<MeasureResult> Measure(bool detailed, params string[] items)
    {
        using MeasureSession session = new(
            new MeasureOptions { Reclaimable = true }, new SessionEvents { OnFailure = failure => Assert.Fail(failure.Message) });
        foreach (string item in items)
        {
            session.Measure(item, CancellationToken.None);
        }

        return session.Reclaim(detailed, CancellationToken.None);
    }

    /// <summary>
    /// Measures while a transaction runs all the time, for small files elsewhere: the extent tree does not tell all then.
    /// </summary>
    private static IReadOnlyList<MeasureResult> MeasureWhileBusy(string root, string[] items)
    {
        using CancellationTokenSource enough = new();
        var writing = Task.Run(() =>
        {
            while (!enough.IsCancellationRequested)
            {
                File.WriteAllText(Path.Combine(root, "busy"), "inline");
            }
        });
        try
        {
            return Measure(detailed: true, items);
        }
        finally
        {
            enough.Cancel();
            writing.GetAwaiter().GetResult();
        }
    }

    private static (long?, long?)[] Numbers(params string[] items) =>
        [.. Measure(detailed: false, items).Select(result => (result.ReclaimableLength, result.SetReclaimableLength))];

    private static string[] Choose(RandomSubvolumes subvolumes, string root, Random random)
    {
        List<string> all =
        [
            .. subvolumes.Files, .. subvolumes.Subvolumes, .. subvolumes.Subvolumes,
            .. subvolumes.Directories.Where(directory => directory != root),
        ];
        return [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => all[random.Next(all.Count)])];
    }

    /// <summary>Checks that the groups add up where items do not overlap. Returns what comes free together only.</summary>
    private static long CheckGroups(IReadOnlyList<MeasureResult> results)
    {
        long together = results
            .SelectMany(result => result.ReclaimableTogether!.Select(
                group => (Items: string.Join('\n', group.With.Append(result.Path).Order(StringComparer.Ordinal)), group.Length)))
            .Distinct().Sum(group => group.Length);
        bool areApart = results.All(one => results.All(other => ReferenceEquals(one, other) ||
            !(other.Path + "/").StartsWith(one.Path + "/", StringComparison.Ordinal)));
        if (areApart)
        {
            Assert.Equal(results[0].SetReclaimableLength, results.Sum(result => result.ReclaimableLength) + together);
        }

        return together;
    }

    private static long UsedData(string root)
    {
        // This has the cleaner begin, which it does by itself every 30 s alone.
        Shell.Check("btrfs", "filesystem", "sync", root);
        Shell.Check("btrfs", "subvolume", "sync", root);
        Shell.Check("btrfs", "filesystem", "sync", root);
        return long.Parse(
            DataUsed().Match(Shell.Check("btrfs", "filesystem", "usage", "-b", root)).Groups[1].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"^Data,single: Size:\d+, Used:(\d+)", RegexOptions.Multiline)]
    private static partial Regex DataUsed();
}
