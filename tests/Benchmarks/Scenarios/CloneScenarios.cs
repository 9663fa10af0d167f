using BtrfsClone.Benchmarks.Trees;

namespace BtrfsClone.Benchmarks.Scenarios;

/// <summary>What the program clones. The targets are for a machine with two processors.</summary>
internal static class CloneScenarios
{
    private const string Quadruple = "s4";

    public static IEnumerable<Scenario> All(Options options)
    {
        Contender[] floor = options.Floor is null ? [] : [Contenders.Floor(options.Floor)];
        Contender[] others = [.. options.Against.Select(Contenders.Other)];
        Contender[] noTarget = [.. floor, .. others];
        Contender[] nearFloor = [.. floor.Select(f => f with { Target = 1.10 }), .. others];
        yield return Clone("a", "a real tree", RealTree.Copy, 0.65, [.. nearFloor, Contenders.Rsync]);
        yield return Clone("b", "small files", s => FileTrees.Small(s, Site.Source, 40, 200_000), 0.65, nearFloor);
        yield return Clone("c", "one wide directory", s => FileTrees.Small(s, Site.Source, 1, 100_000), 0.85, noTarget);
        yield return Clone("d", "a deep chain", s => FileTrees.Chain(s, 2000), 1, noTarget);
        yield return Clone("e", "sparse files", s => ExtentTrees.Sparse(s, 1000, 100_000_000, 100), 1, noTarget);
        yield return Clone("f", "a file of many extents", s => ExtentTrees.Single(s, 500_000), 1, others);
        yield return Clone("g", "a dirty tree", s => FileTrees.Dirty(s, 4000), 1, noTarget) with { Fresh = CacheState.Dirty };
        // The floor makes files of the links.
        yield return Clone("h", "hard links", s => FileTrees.Linked(s, 10_000, 10), 1, others);
        yield return Clone("one", "the whole process", FileTrees.Single, null, others);
        yield return Range();
        yield return Moment();
        yield return Snapshot();
        yield return Growth();
    }

    private static Scenario Clone(string id, string title, Func<Site, string> build, double? targetOfCp, Contender[] peers) => new()
    {
        Id = id,
        Title = title,
        Build = build,
        Subject = Contenders.Program("copy"),
        Peers = [Contenders.Cp with { Target = targetOfCp }, .. peers],
    };

    private static Scenario Range() => new()
    {
        Id = "range",
        Title = "a range of many extents",
        Build = s => ExtentTrees.Single(s, 500_000),
        Subject = Contenders.Program("range"),
        Peers = [Contenders.Cp],
        Checked = Contenders.Program("copy"),
        // Its bytes only: a range has no mode and no times.
        Clones = false,
    };

    private static Scenario Moment() => new()
    {
        Id = "moment",
        Title = "as of one moment",
        Build = RealTree.Copy,
        Subject = Contenders.Program("copy", "--point-in-time"),
        Peers = [Contenders.Program("copy") with { Target = 1.15 }, Contenders.Cp],
        Charted = false,
    };

    private static Scenario Snapshot() => new()
    {
        Id = "snapshot",
        Title = "a snapshot",
        Build = RealTree.CopyIntoSubvolume,
        Subject = Contenders.Program("copy", "--snapshot"),
        Peers = [Contenders.Other("btrfs subvolume snapshot")],
        Checked = Contenders.Program("copy"),
        // Both take no time to speak of: it would show the start of a program.
        Charted = false,
    };

    private static Scenario Growth() => new()
    {
        Id = "growth",
        Title = "four times the files",
        Build = s => $"{FileTrees.Small(s, Site.Source, 40, 200_000)}; {FileTrees.Small(s, Quadruple, 160, 800_000)}",
        Subject = Contenders.Program("copy") with { Name = "copy of 4 times as many", Source = Quadruple },
        Peers = [Contenders.Program("copy") with { Target = 4.4 }],
        Charted = false,
        ImageSize = 32L << 30,
    };
}
