using BtrfsClone.Benchmarks.Trees;

namespace BtrfsClone.Benchmarks.Scenarios;

/// <summary>What the cmdlets do, in a real pwsh.</summary>
internal static class SessionScenarios
{
    private const string Names = "ForEach-Object { \"$s/file$_\" } | ";

    public static IEnumerable<Scenario> All()
    {
        yield return new Scenario
        {
            Id = "start",
            Title = "a session with the module",
            Build = FileTrees.Single,
            Subject = Sessions.Import,
            Peers = [Sessions.Empty],
            Checked = Sessions.CopyBtrfsItem,
            Clones = false,
            Charted = false,
        };
        yield return Numbered(
            "i", "files of a pipeline, in pwsh", Names + "Copy-BtrfsItem -Destination $d", Names + "Copy-Item -Destination $d");
        yield return Numbered(
            "i-each",
            "a command for each, in pwsh",
            "ForEach-Object { Copy-BtrfsItem -LiteralPath \"$s/file$_\" -Destination $d }",
            "ForEach-Object { Copy-Item -LiteralPath \"$s/file$_\" -Destination $d }");
        yield return new Scenario
        {
            Id = "a-pwsh",
            Title = "a real tree, in pwsh",
            Build = RealTree.Copy,
            Subject = Sessions.CopyBtrfsItem,
            Peers = [Sessions.CopyItem with { Target = 0.167 }, Sessions.Program with { Target = 1.05 }],
        };
        yield return new Scenario
        {
            Id = "list-pwsh",
            Title = "extents, in pwsh",
            Build = s => ExtentTrees.Single(s, 500_000),
            Subject = Sessions.GetBtrfsExtent,
            Peers = [Contenders.Quiet(Contenders.Tool("filefrag -v"), []) with { Target = 3 }],
            Checked = Sessions.CopyBtrfsItem,
            Clones = false,
        };
    }

    private static Scenario Numbered(string id, string title, string ours, string theirs) => new()
    {
        Id = id,
        Title = title,
        Build = s => FileTrees.Numbered(s, 20_000),
        Subject = Sessions.Numbered("Copy-BtrfsItem", ours),
        Peers = [Sessions.Numbered("Copy-Item", theirs) with { Target = 0.33 }],
        Checked = Sessions.CopyBtrfsItem,
    };
}
