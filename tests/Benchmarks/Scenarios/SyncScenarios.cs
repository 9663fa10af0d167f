using BtrfsClone.Benchmarks.Measuring;
using BtrfsClone.Benchmarks.Trees;
using Checkout = BtrfsClone.Tests.Support.Program;

namespace BtrfsClone.Benchmarks.Scenarios;

/// <summary>
/// A destination brought up to its source: each contender has one of its own, which is equal to the source but for what the
/// scenario changes before each run. What comes before the sync is not timed.
/// </summary>
internal static class SyncScenarios
{
    private const string Small = "small";
    private const string Ours = "ours", Theirs = "theirs";
    private const int ImageBlocks = 4000;

    private static readonly string[] s_rsync = ["rsync", "-aHAX", "--delete"];

    private const string ForgetMark = "setfattr -x trusted.btrfs-clone.sync \"$2\" 2> /dev/null; true";

    private const string ChangeOnePercent =
        "find \"$1\" -type f -size +0 -print0 | awk -v RS='\\0' -v ORS='\\0' 'NR % 100 == 7' | " +
        "xargs -0 sh -c 'for file; do echo more >> \"$file\"; done' sh; sync -f \"$1\"";

    private const string ChangeBlocks =
        "for i in $(seq 0 4 3999); do " +
        "dd if=/dev/urandom of=\"$1\" bs=4096 count=1 seek=$((i * 1310)) conv=notrunc status=none; done; sync -f \"$1\"";

    public static IEnumerable<Scenario> All()
    {
        yield return Tree("sync-extent", "a sync without a change, by extents", 0.35, ForgetMark, "");
        yield return Tree("sync-time", "a sync without a change, by times", 0.25, ForgetMark, "", "--check", "time");
        yield return Tree("sync-again", "a sync without a change since the last", 0.02, "", "");
        yield return Tree("sync-changed", "a sync of 1 % of the files", 0.05, ChangeOnePercent, ChangeOnePercent);
        yield return new Scenario
        {
            Id = "sync-growth",
            Title = "a sync of as many changes in four times the tree",
            Build = Quadruple,
            Subject = Sync("btrfs-clone sync, 4 times the tree", Ours, ChangeSmall, [Checkout.File, "sync"]),
            Peers =
            [
                Sync("btrfs-clone sync", Ours, ChangeSmall, [Checkout.File, "sync"]) with { Source = Small, Target = 1.3 },
            ],
            Checked = Contenders.Program("copy"),
            Clones = false,
            Charted = false,
        };
        yield return new Scenario
        {
            Id = "sync-image",
            Title = "a 20 GB image of which 1,000 blocks have changed",
            Build = Image,
            Subject = Sync("btrfs-clone sync --in-place", Ours, ChangeBlocks, [Checkout.File, "sync", "--in-place"]),
            Peers =
            [
                Sync("rsync --inplace", Theirs, ChangeBlocks, ["rsync", "-aHAX", "--inplace", "--sparse"]) with { Needs = "rsync" },
                Sync("btrfs-clone sync", Ours, ChangeBlocks, [Checkout.File, "sync"]),
            ],
            Checked = Contenders.Program("copy"),
            Clones = false,
        };
    }

    private const string ChangeSmall =
        "for i in 0 1 2 3 4 5 6 7 8 9; do echo more >> \"$1/changed$i\"; done; sync -f \"$1\"";

    private static Scenario Tree(
        string id, string title, double target, string before, string beforeTheirs, params string[] options) => new()
        {
            Id = id,
            Title = title,
            Build = s => RealTree.Copy(s) + Arrange(s, Site.Source, Ours, Theirs),
            Subject = Sync("btrfs-clone sync --delete", Ours, before, [Checkout.File, "sync", "--delete", .. options]),
            Peers = [Sync("rsync -aHAX --delete", Theirs, beforeTheirs, s_rsync) with { Needs = "rsync", Target = target }],
            Checked = Contenders.Program("copy"),
            Clones = false,
        };

    /// <summary>
    /// A sync of the source's first half to another one of its parts. It is synced before, then comes what changes it, and
    /// what is timed: the last line is its time.
    /// </summary>
    private static Contender Sync(string name, string destination, string before, string[] command) => new(
        name,
        (s, _) =>
        {
            bool isRsync = command[0] == "rsync";
            string from = $"{s}/{Site.First}";
            string slash = isRsync && Directory.Exists(from) ? "/" : "";
            string script = "from=$1; to=$2; shift 2; " +
                $"\"$@\" \"$from{slash}\" \"$to{slash}\" > /dev/null && " +
                $"sh -c '{before.Replace("'", "'\\''", StringComparison.Ordinal)}' sh \"$from\" \"$to\" && " +
                $"TIMEFORMAT=%R && {{ time \"$@\" \"$from{slash}\" \"$to{slash}\" > /dev/null; }} 2>&1";
            return new("bash", ["-c", script, "bash", from, $"{s}/{destination}", .. command]) { TimesItself = true };
        });

    /// <summary>
    /// Makes what a source holds its first part, and clones of that the others: each a subvolume of its own, so that what one
    /// contender writes is not among the changes that another one finds.
    /// </summary>
    private static string Arrange(Site site, string source, params string[] clones)
    {
        string tree = site.At(source) + ".tree";
        Directory.Move(site.At(source), tree);
        Directory.CreateDirectory(site.At(source));
        foreach (string part in clones.Prepend(Site.First))
        {
            string subvolume = $"{site.At(source)}/{part}";
            Execution.Check("btrfs", "subvolume", "create", subvolume);
            Execution.Check("cp", "--archive", "--reflink=always", $"{tree}/.", subvolume);
        }

        Execution.Check("rm", "--recursive", tree);
        return ", and clones of it";
    }

    private static string Quadruple(Site site)
    {
        string shown = RealTree.Copy(site);
        string small = site.At(Small);
        Directory.Move(site.At(Site.Source), small);
        Directory.CreateDirectory(site.At(Site.Source));
        for (int i = 0; i < 4; i++)
        {
            Execution.Check("cp", "--archive", "--reflink=always", small, $"{site.At(Site.Source)}/{i}");
        }

        _ = Arrange(site, Small, Ours);
        _ = Arrange(site, Site.Source, Ours);
        return shown + ", and four times that";
    }

    private static string Image(Site site)
    {
        string image = $"{Directory.CreateDirectory(site.At(Site.Source)).FullName}/{Site.First}";
        Execution.Check("truncate", "--size=20G", image);
        Execution.Check(
            "sh", "-c", $"for i in $(seq 0 {ImageBlocks - 1}); do " +
            "dd if=/dev/urandom of=\"$1\" bs=4096 count=1 seek=$((i * 1310)) conv=notrunc status=none; done; sync -f \"$1\"",
            "sh", image);
        foreach (string clone in (string[])[Ours, Theirs])
        {
            Execution.Check(
                "cp", "--archive", "--reflink=always", image, $"{site.At(Site.Source)}/{clone}");
        }

        return $"20 GB, {ImageBlocks} blocks of them data";
    }
}
