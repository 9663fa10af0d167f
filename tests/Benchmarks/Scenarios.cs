using BtrfsClone.Benchmarks.Trees;
using Checkout = BtrfsClone.Tests.Support.Program;

namespace BtrfsClone.Benchmarks;

/// <summary>All scenarios. Targets are for a machine with two processors.</summary>
internal static class Scenarios
{
    private const string Quadruple = "s4";

    public static IReadOnlyList<Scenario> All(Options options)
    {
        Contender[] floor = options.Floor is null ? [] : [Contenders.Floor(options.Floor)];
        Contender[] others = [.. options.Against.Select(Contenders.Other)];
        return [.. Trees(floor, others), .. Processes(others), .. Listings(), .. Sessions()];
    }

    private static IEnumerable<Scenario> Trees(Contender[] floor, Contender[] others)
    {
        Contender[] noTarget = [.. floor, .. others];
        Contender[] nearFloor = [.. floor.Select(f => f with { Target = 1.10 }), .. others];
        yield return Tree("a", "a real tree", RealTree.Copy, 0.65, [.. nearFloor, Contenders.Rsync]);
        yield return Tree("b", "small files", s => FileTrees.Small(s, Site.Source, 40, 200_000), 0.65, nearFloor);
        yield return Tree("c", "one wide directory", s => FileTrees.Small(s, Site.Source, 1, 100_000), 0.85, noTarget);
        yield return Tree("d", "a deep chain", s => FileTrees.Chain(s, 2000), 1, noTarget);
        yield return Tree("e", "sparse files", s => ExtentTrees.Sparse(s, 1000, 100_000_000, 100), 1, noTarget);
        yield return Tree("f", "a file of many extents", s => ExtentTrees.Single(s, 500_000), 1, others);
        yield return Tree("g", "a dirty tree", s => FileTrees.Dirty(s, 4000), 1, noTarget) with { Dirty = true };
        // The floor makes files of the links.
        yield return Tree("h", "hard links", s => FileTrees.Linked(s, 10_000, 10), 1, others);
    }

    private static IEnumerable<Scenario> Processes(Contender[] others)
    {
        yield return Tree("one", "the whole process", FileTrees.Single, null, others);
        yield return new Scenario
        {
            Id = "growth",
            Title = "four times the files",
            Build = s => $"{FileTrees.Small(s, Site.Source, 40, 200_000)}; {FileTrees.Small(s, Quadruple, 160, 800_000)}",
            Subject = Contenders.Program with { Name = "btrfs-clone, 4 times", Source = Quadruple },
            Peers = [Contenders.Program with { Target = 4.4 }],
            ImageSize = 32L << 30,
        };
    }

    private static IEnumerable<Scenario> Listings()
    {
        yield return Listing("list", "extents, as root", 0.6);
        yield return Listing("list-user", "extents, without privileges", 1, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");
    }

    private static IEnumerable<Scenario> Sessions()
    {
        yield return new Scenario
        {
            Id = "i",
            Title = "files of a pipeline, in pwsh",
            Build = s => FileTrees.Numbered(s, 20_000),
            Subject = Contenders.Pipeline("... | Copy-BtrfsItem", "ForEach-Object { \"$s/file$_\" } | Copy-BtrfsItem -Destination $d"),
            Peers =
            [
                Contenders.Pipeline("... | Copy-Item", "ForEach-Object { \"$s/file$_\" } | Copy-Item -Destination $d") with { Target = 0.33 },
            ],
            Checked = Contenders.CopyBtrfsItem,
        };
        yield return new Scenario
        {
            Id = "i-each",
            Title = "a command for each file, in pwsh",
            Build = s => FileTrees.Numbered(s, 20_000),
            Subject = Contenders.Pipeline(
                "Copy-BtrfsItem", "ForEach-Object { Copy-BtrfsItem -LiteralPath \"$s/file$_\" -Destination $d }"),
            Peers =
            [
                Contenders.Pipeline("Copy-Item", "ForEach-Object { Copy-Item -LiteralPath \"$s/file$_\" -Destination $d }") with { Target = 0.33 },
            ],
            Checked = Contenders.CopyBtrfsItem,
        };
        yield return new Scenario
        {
            Id = "a-pwsh",
            Title = "a real tree, in pwsh",
            Build = RealTree.Copy,
            Subject = Contenders.CopyBtrfsItem,
            Peers = [Contenders.CopyItem with { Target = 0.167 }, Contenders.ProgramFromPwsh with { Target = 1.05 }],
        };
    }

    private static Scenario Tree(string id, string title, Func<Site, string> build, double? targetOfCp, Contender[] peers) => new()
    {
        Id = id,
        Title = title,
        Build = build,
        Subject = Contenders.Program,
        Peers = [Contenders.Cp with { Target = targetOfCp }, .. peers],
    };

    private static Scenario Listing(string id, string title, double target, params string[] prefix) => new()
    {
        Id = id,
        Title = title,
        Build = s => ExtentTrees.Single(s, 500_000),
        Subject = Contenders.Listing("btrfs-clone extents", Checkout.File, [.. prefix, Checkout.File, "extents"]),
        Peers = [Contenders.Listing("filefrag -v", "filefrag", [.. prefix, "filefrag", "-v"]) with { Target = target }],
        Checked = Contenders.Program,
        Clones = false,
    };
}
