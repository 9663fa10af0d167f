using BtrfsClone.Benchmarks.Scenarios;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Benchmarks.Measuring;

/// <summary>Runs a scenario's contenders in turn, on a file system of its own.</summary>
internal sealed class Runner(Options options, TextWriter log)
{
    private int _destinations;

    public ScenarioResult Run(Scenario scenario)
    {
        string[] missing = [.. scenario.Peers.Prepend(scenario.Subject).Where(c => !IsThere(c)).Select(c => c.Name)];
        Contender[] peers = [.. scenario.Peers.Where(IsThere)];
        if (!IsThere(scenario.Subject) || peers.Length == 0)
        {
            return new ScenarioResult(scenario.Id, scenario.Title, "", missing, 0, scenario.Charted, []);
        }

        // nodiscard: what one run freed must not keep the image's file system busy during the next.
        using ScratchImage image = new(scenario.ImageSize, "noatime,nodiscard", "mkfs.btrfs", "--quiet");
        Site site = new(image.Root, options);
        log.WriteLine($"({scenario.Id}) {scenario.Title}");
        string source = scenario.Build(site);
        log.WriteLine($"    {source}");
        Contender[] all = [scenario.Subject, .. peers];
        IEnumerable<CacheState> caches = scenario.Fresh is CacheState fresh ? [fresh] : options.Caches;
        long?[]? peaks = null;
        List<StateResult> states = [];
        foreach (CacheState cache in caches)
        {
            // A round that is not timed looks at the memory and at the clone, and leaves the caches warm.
            peaks ??= [.. Round(scenario, site, all, cache, timed: false).Select(e => e.PeakMemory)];
            Execution[][] rounds =
            [
                .. Enumerable.Range(0, options.Runs).Select(i => Round(scenario, site, all, cache, timed: true, first: i)),
            ];
            states.Add(Summarize(cache, all, peaks, rounds));
        }

        int equal = Equality.CheckRandomTree(site, scenario.Checked ?? scenario.Subject, seed: scenario.Id.Sum(c => c));
        return new ScenarioResult(scenario.Id, scenario.Title, source, missing, equal, scenario.Charted, states);
    }

    private static bool IsThere(Contender contender) =>
        contender.Needs.Length == 0 || (contender.Needs.Contains('/', StringComparison.Ordinal)
            ? File.Exists(contender.Needs)
            : Shell.Has(contender.Needs));

    /// <summary>
    /// Runs each contender once. Each round begins with another one, and every other round goes backwards, so that nobody
    /// always follows the same: what one has left to be freed slows the next.
    /// </summary>
    private Execution[] Round(Scenario scenario, Site site, Contender[] all, CacheState cache, bool timed, int first = 0)
    {
        var round = new Execution[all.Length];
        for (int i = 0; i < all.Length; i++)
        {
            int turn = (first + (first % 2 == 0 ? i : all.Length - i)) % all.Length;
            round[turn] = RunOnce(scenario, site, all[turn], cache, timed);
        }

        log.WriteLine($"    {cache,-6}{(timed ? "" : " (not counted)")} {string.Join("  ", round.Select(e => Figures.Seconds(e.Wall)))}");
        return round;
    }

    private Execution RunOnce(Scenario scenario, Site site, Contender contender, CacheState cache, bool timed)
    {
        // A new name each time: a directory that was emptied is not like one that is new.
        string source = site.At(contender.Source);
        string destination = site.At($"t{_destinations++}");
        if (scenario.Fresh is not null)
        {
            Execution.Check("rm", "--recursive", "--force", source);
        }

        // Snapshots that a run has deleted are freed in the background.
        Execution.Check("btrfs", "subvolume", "sync", site.Root);
        Execution.Check("sync", "--file-system", site.Root);
        if (scenario.Fresh is not null)
        {
            scenario.Build(site);
        }

        if (scenario.Fresh is CacheState.Warm or CacheState.Cold)
        {
            Execution.Check("sync", "--file-system", site.Root);
        }

        if (cache == CacheState.Cold)
        {
            File.WriteAllText("/proc/sys/vm/drop_caches", "3");
        }

        Execution execution = Execution.Run(contender.Command(source, destination), watchMemory: !timed);
        if (!timed && scenario.Clones && contender == scenario.Subject)
        {
            Equality.CheckClone(source, destination);
        }

        Execution.Check("rm", "--recursive", "--force", destination);
        return execution;
    }

    private static StateResult Summarize(CacheState cache, Contender[] all, long?[] peaks, Execution[][] rounds)
    {
        ContenderResult ResultOf(int i)
        {
            double[] wall = [.. rounds.Select(r => r[i].Wall)];
            return new(all[i].Name, wall, Figures.Median(wall), Figures.Median(rounds.Select(r => r[i].Cpu)), peaks[i]);
        }

        RatioResult RatioTo(int i)
        {
            double[] ratios = [.. rounds.Select(r => r[0].Wall / r[i].Wall)];
            return new(all[i].Name, Figures.Median(ratios), ratios.Min(), ratios.Max(), all[i].Target);
        }

        return new(
            cache,
            [.. Enumerable.Range(0, all.Length).Select(ResultOf)],
            [.. Enumerable.Range(1, all.Length - 1).Select(RatioTo)]);
    }
}
