using BtrfsClone.Benchmarks.Trees;

namespace BtrfsClone.Benchmarks.Scenarios;

/// <summary>What the program does beside cloning.</summary>
internal static class OtherScenarios
{
    private static readonly string[] s_unprivileged = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

    public static IEnumerable<Scenario> All()
    {
        yield return List("list", "extents, as root", 0.6, []);
        yield return List("list-user", "extents, unprivileged", 1, s_unprivileged);
        yield return new Scenario
        {
            Id = "wait",
            Title = "waiting for dirty files",
            Build = s => FileTrees.Dirty(s, 10_000),
            Subject = Contenders.Verb("wait"),
            Peers = [Contenders.Tool("sync --file-system") with { Target = 1.2 }],
            Checked = Contenders.Program("copy"),
            Fresh = CacheState.Dirty,
            Clones = false,
        };
        yield return new Scenario
        {
            Id = "wait-clean",
            Title = "waiting for clean files",
            Build = s => FileTrees.Numbered(s, 10_000),
            Subject = Contenders.Verb("wait"),
            Peers = [Contenders.Tool("find") with { Name = "find, which lists them" }],
            Checked = Contenders.Program("copy"),
            Clones = false,
            Charted = false,
        };
        yield return new Scenario
        {
            Id = "merge",
            Title = "sharing equal files",
            Build = s => FileTrees.Twice(s, 1000),
            Subject = Contenders.Merge,
            Peers = [Contenders.Tool("duperemove -dr")],
            Checked = Contenders.Program("copy"),
            Fresh = CacheState.Warm,
            Clones = false,
        };
        // Without -b, duperemove looks only at files of its block's 128 KiB on, which is not the same work.
        yield return Find(
            "duplicates",
            "finding duplicates",
            Contenders.Duplicates(),
            Contenders.Tool("duperemove -r -b 4096") with { Target = 0.05 },
            Contenders.Tool("duperemove -r"));
        yield return Find(
            "duplicates-content",
            "finding equal files by content",
            Contenders.Duplicates("--file-only", "--source", "content"),
            Contenders.Tool("fclones group") with { Target = 1 },
            Contenders.Tool("jdupes -q -r") with { Target = 1 });
        Scenario merging = Find(
            "duplicates-merge",
            "finding duplicates and sharing them",
            Contenders.Duplicates("--merge"),
            Contenders.Tool("duperemove -dr -b 4096") with { Target = 0.35 });
        yield return merging with { Fresh = CacheState.Warm };
        yield return merging with { Id = "duplicates-merge-cold", Fresh = CacheState.Cold };
        yield return new Scenario
        {
            Id = "measure",
            Title = "measuring a real tree",
            Build = RealTree.Copy,
            Subject = Contenders.Quiet(Contenders.Verb("measure"), []),
            Peers =
            [
                Contenders.Quiet(Contenders.Tool("compsize -b"), []) with { Target = 1 },
                Contenders.Quiet(Contenders.Tool("btrfs filesystem du -s --raw"), []) with { Target = 1 },
            ],
            Checked = Contenders.Program("copy"),
            Clones = false,
        };
        yield return new Scenario
        {
            Id = "compare",
            Title = "comparing a real tree with its clone",
            Build = RealTree.CopyAndClone,
            Subject = Contenders.Quiet(Contenders.Compare, []),
            Peers = [Contenders.Quiet(Contenders.Diff, [])],
            Checked = Contenders.Program("copy"),
            Clones = false,
        };
    }

    private static Scenario Find(string id, string title, Contender subject, params Contender[] peers) => new()
    {
        Id = id,
        Title = title,
        Build = s => DuplicateTrees.Mixed(s, 200_000),
        Subject = Contenders.Quiet(subject, []),
        Peers = [.. peers.Select(peer => Contenders.Quiet(peer, []))],
        Checked = Contenders.Program("copy"),
        Clones = false,
        ImageSize = 32L << 30,
    };

    private static Scenario List(string id, string title, double target, string[] prefix) => new()
    {
        Id = id,
        Title = title,
        Build = s => ExtentTrees.Single(s, 500_000),
        Subject = Contenders.Quiet(Contenders.Verb("extents"), prefix),
        Peers = [Contenders.Quiet(Contenders.Tool("filefrag -v"), prefix) with { Target = target }],
        Checked = Contenders.Program("copy"),
        Clones = false,
    };
}
