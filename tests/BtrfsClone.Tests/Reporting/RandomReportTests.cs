using BtrfsClone.Measuring;
using BtrfsClone.Reporting;
using BtrfsClone.Tests.Owning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Reporting;

/// <summary>The numbers of reports on random filesystems, against measures and against a walk of all trees.</summary>
public sealed class RandomReportTests : IDisposable
{
    private readonly string _page = Path.Combine(Path.GetTempPath(), $"btrfs-clone-report-{Guid.NewGuid():N}.html");

    public void Dispose() => File.Delete(_page);

    [RootFact(Needs = RandomSubvolumes.Tools + " " + OwnerWitness.Tools)]
    public void Every_number_is_that_of_the_trees_and_of_a_measure()
    {
        long inside = 0;
        long outside = 0;
        int folds = 0;
        for (int seed = 1; seed <= (TestMachine.IsThorough ? 30 : 3); seed++)
        {
            using ScratchImage image = new(
                1L << 30, seed % 3 == 2 ? "noatime,compress-force=zstd" : "noatime", "mkfs.btrfs", "--quiet", "--metadata", "single");
            Random random = new(seed);
            using RandomSubvolumes subvolumes = new(image.Root, random);
            subvolumes.Change(100);
            string[] given = seed % 3 == 0 ? [image.Root] : Choose(subvolumes, image.Root, random);
            HolderWitness witness = new(image.Root, image.Device);

            ReportResult result = Report(given, seed % 2 == 0 ? 5 : 1000);

            PageData page = new(_page);
            Assert.Equal((page.Entries[0]["files"], page.Entries[0]["length"]), (result.Files, result.Length));
            foreach (PageEntry entry in page.Entries.Skip(1))
            {
                (long, long, long) expected = witness.Of(
                    path => given.Any(one => path.StartsWith(one + "/", StringComparison.Ordinal)) && IsIn(page, entry, path));
                Assert.Equal((seed, entry.Path, expected), (seed, entry.Path, (entry["data"], entry["alone"], entry["inside"])));
                if (!entry.IsFold)
                {
                    CheckMeasure(entry);
                }

                inside += entry["inside"];
                outside += entry["data"] - entry["alone"] - entry["inside"];
                folds += entry.IsFold ? 1 : 0;
            }

            Assert.Equal(
                witness.Pairs(path => GroupOf(page, given, path)).Where(pair => pair.Contains('/', StringComparison.Ordinal))
                    .Order(StringComparer.Ordinal),
                page.Pairs().Order(StringComparer.Ordinal));
        }

        Assert.True(inside > 0 && outside > 0 && folds > 0, $"Too little was shared to prove anything: {inside}, {outside}, {folds}.");
    }

    private static string[] Choose(RandomSubvolumes subvolumes, string root, Random random)
    {
        string[] all = [.. subvolumes.Subvolumes, .. subvolumes.Directories.Where(directory => directory != root)];
        string[] chosen = [.. random.GetItems(all, 4).Distinct()];
        return [.. chosen.Where(one => !chosen.Any(other => one.StartsWith(other + "/", StringComparison.Ordinal)))];
    }

    /// <summary>Whether a file belongs to an entry; to one that stands for others, if no other one shows it.</summary>
    private static bool IsIn(PageData page, PageEntry entry, string path)
    {
        string folder = entry.IsFold ? entry.Parent!.Path : entry.Path;
        return (path + "/").StartsWith(folder + "/", StringComparison.Ordinal) &&
            (!entry.IsFold || !page.Entries.Any(other => other.Parent == entry.Parent && !other.IsFold && IsIn(page, other, path)));
    }

    private static string GroupOf(PageData page, string[] given, string path)
    {
        string? first = given.FirstOrDefault(one => path.StartsWith(one + "/", StringComparison.Ordinal));
        if (first is null)
        {
            return "elsewhere";
        }

        if (given.Length > 1)
        {
            return first;
        }

        string top = first + "/" + path[(first.Length + 1)..].Split('/')[0];
        return page.Entries.Any(entry => entry.Path == top && entry.IsDirectory) ? top : first;
    }

    private static void CheckMeasure(PageEntry entry)
    {
        using MeasureSession session = new(
            new MeasureOptions { Reclaimable = true }, new SessionEvents { OnFailure = failure => Assert.Fail(failure.Message) });
        session.Measure(entry.Path, CancellationToken.None);
        MeasureResult measured = session.Reclaim(detailed: false, CancellationToken.None)[0];
        Assert.Equal(
            (entry.Path, measured.Files, measured.Length, measured.SharedLength, measured.DiskLength, measured.ExtentCount,
                measured.ReclaimableLength),
            (entry.Path, entry["files"], entry["length"], entry["shared"], entry["data"] + entry["inline"], entry["extents"],
                entry["alone"] + entry["inside"]));
    }

    private ReportResult Report(string[] directories, int limit)
    {
        ReportOptions options = new() { Output = _page, Force = true, MaxDirectories = limit, MaxFiles = limit };
        using ReportSession session = new(options, new SessionEvents { OnFailure = failure => Assert.Fail(failure.Message) });
        foreach (string directory in directories)
        {
            session.Add(directory);
        }

        return session.Write(CancellationToken.None)!;
    }
}
