using System.Globalization;
using BtrfsClone.Benchmarks.Scenarios;
using BtrfsClone.Benchmarks.Trees;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Benchmarks.Measuring;

/// <summary>The system calls that a contender makes for each plain file.</summary>
/// <param name="Contender">Its name.</param>
/// <param name="Total">All of them together.</param>
/// <param name="ByName">Those that are made for at least one file in twenty.</param>
internal sealed record CallsResult(string Contender, double Total, IReadOnlyDictionary<string, double> ByName)
{
    /// <summary>
    /// Counts with strace(1): the calls for a tree, less those for a tree of half as many files in as many
    /// directories. Program start and directories drop out.
    /// </summary>
    public static IReadOnlyList<CallsResult> Count(Options options)
    {
        const int Files = 2000;
        using ScratchImage image = new(2L << 30, "noatime,nodiscard", "mkfs.btrfs", "--quiet");
        Site site = new(image.Root, options with { Scale = 1 });
        FileTrees.Small(site, "half", 4, Files);
        FileTrees.Small(site, "whole", 4, 2 * Files);
        Contender[] floor = options.Floor is null ? [] : [Contenders.Floor(options.Floor)];
        List<CallsResult> results = [];
        foreach (Contender contender in (Contender[])[Contenders.Program("copy"), Contenders.Cp, .. floor])
        {
            Dictionary<string, long> half = Trace(site, contender, "half");
            Dictionary<string, double> each = Trace(site, contender, "whole").ToDictionary(
                call => call.Key, call => (call.Value - half.GetValueOrDefault(call.Key)) / (double)Files);
            results.Add(new CallsResult(
                contender.Name,
                each.Values.Sum(),
                each.Where(c => c.Value >= 0.05).OrderByDescending(c => c.Value).ToDictionary(c => c.Key, c => c.Value)));
        }

        return results;
    }

    private static Dictionary<string, long> Trace(Site site, Contender contender, string source)
    {
        string counts = site.At("counts");
        string destination = site.At("traced");
        CommandLine traced = contender.Command(site.At(source), destination);
        Execution.Check("strace", ["-f", "-c", "-o", counts, traced.File, .. traced.Arguments]);
        Execution.Check("rm", "--recursive", destination);

        // "% time, seconds, usecs/call, calls, errors (or nothing), syscall" between two rulers.
        return File.ReadLines(counts)
            .SkipWhile(line => !line.StartsWith("---", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(line => !line.StartsWith("---", StringComparison.Ordinal))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .ToDictionary(columns => columns[^1], columns => long.Parse(columns[3], CultureInfo.InvariantCulture));
    }
}
