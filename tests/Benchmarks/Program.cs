using System.CommandLine;
using System.Runtime.InteropServices;
using BtrfsClone.Benchmarks.Measuring;
using BtrfsClone.Benchmarks.Reporting;
using BtrfsClone.Benchmarks.Scenarios;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Benchmarks;

/// <summary>The bench's command line.</summary>
internal static class Program
{
    private const string CallsId = "calls";

    private static int Main(string[] args)
    {
        Option<string?> scenarios = new("--scenario", "-s")
        {
            Description = "Scenarios to run, parted by commas (default: all).",
            HelpName = "a,b",
        };
        Option<int> runs = new("--runs") { Description = "Measured rounds for each state of the caches.", DefaultValueFactory = _ => 5 };
        Option<double> scale = new("--scale") { Description = "What sizes are multiplied by.", DefaultValueFactory = _ => 1 };
        Option<CacheState?> cache = new("--cache") { Description = "Run with warm or with cold caches only." };
        Option<string?> floor = new("--floor")
        {
            Description = "A program for the floor: SOURCE NEW_DIRECTORY THREADS.",
            HelpName = "PATH",
        };
        Option<string[]> against = new("--against")
        {
            Description = "One more command to clone trees with; source and destination are added (repeatable).",
            HelpName = "COMMAND",
        };
        Option<string> tree = new("--tree")
        {
            Description = "The tree that scenario a clones a copy of.",
            DefaultValueFactory = _ => "/usr/share",
        };
        Option<string?> dir = new("--dir")
        {
            Description = "Where the scratch image is made (default: the temporary folder).",
            HelpName = "DIR",
        };
        Option<FileInfo?> json = new("--json") { Description = "Write the figures there.", HelpName = "FILE" };
        Option<FileInfo?> chart = new("--chart") { Description = "Draw the ratios there, as SVG.", HelpName = "FILE" };
        runs.Validators.Add(r => Refuse(r, r.GetValueOrDefault<int>() < 1, "--runs takes a number from 1 on."));
        scale.Validators.Add(r => Refuse(
            r, r.GetValueOrDefault<double>() is not (> 0 and <= 10), "--scale takes a number above 0, up to 10."));
        RootCommand root = new("Runs BtrfsClone and its peers side by side on a scratch btrfs. Needs root and btrfs-progs.")
        {
            scenarios, runs, scale, cache, floor, against, tree, dir, json, chart,
        };
        root.SetAction(parsed =>
        {
            if (parsed.GetValue(dir) is string folder)
            {
                // Where the scratch image's class looks.
                Environment.SetEnvironmentVariable("TMPDIR", Path.GetFullPath(folder));
            }

            Options options = new()
            {
                Scenarios = parsed.GetValue(scenarios)?.Split(',') ?? [],
                Runs = parsed.GetValue(runs),
                Scale = parsed.GetValue(scale),
                Floor = parsed.GetValue(floor) is string path ? Path.GetFullPath(path) : null,
                Against = parsed.GetValue(against) ?? [],
                Tree = Path.GetFullPath(parsed.GetValue(tree)!),
            };
            options = parsed.GetValue(cache) is CacheState only ? options with { Caches = [only] } : options;
            return Run(options, parsed.GetValue(json), parsed.GetValue(chart));
        });
        return root.Parse(args).Invoke();
    }

    private static void Refuse(System.CommandLine.Parsing.OptionResult result, bool wrong, string error)
    {
        if (wrong)
        {
            result.AddError(error);
        }
    }

    private static int Run(Options options, FileInfo? json, FileInfo? chart)
    {
        if ((TestMachine.NoScratchImage ?? TestMachine.Lacks($"{RandomTree.Tools} {TreeFacts.Tools}")) is string reason)
        {
            Console.Error.WriteLine(reason);
            return 1;
        }

        IReadOnlyList<Scenario> all =
        [
            .. CloneScenarios.All(options), .. OtherScenarios.All(), .. SyncScenarios.All(), .. CarryScenarios.All(),
            .. SessionScenarios.All(),
        ];
        if (options.Scenarios.FirstOrDefault(id => id != CallsId && all.All(s => s.Id != id)) is string unknown)
        {
            Console.Error.WriteLine($"There is no scenario {unknown}. There are: {string.Join(' ', all.Select(s => s.Id))} {CallsId}");
            return 2;
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        Report report = Measure(options, all, out bool failed);
        Write(json, report.ToJson());
        if (chart is not null)
        {
            Write(chart, Chart.Draw(report));
        }

        return failed ? 1 : 0;
    }

    /// <summary>Ends the bench in good order: the scratch file system is still to be removed.</summary>
    private static void Stop(PosixSignalContext signal)
    {
        signal.Cancel = true;
        Execution.Stopped = true;
    }

    private static Report Measure(Options options, IReadOnlyList<Scenario> all, out bool failed)
    {
        bool Wanted(string id) => options.Scenarios.Count == 0 || options.Scenarios.Contains(id);

        Machine machine = Machine.This();
        Report.PrintMachine(machine, Console.Out);
        Runner runner = new(options, Console.Error);
        List<ScenarioResult> results = [];
        List<CallsResult> calls = [];
        failed = false;
        foreach (Scenario scenario in all.Where(s => Wanted(s.Id)))
        {
            failed |= Execution.Stopped || !Try(scenario.Id, () =>
            {
                results.Add(runner.Run(scenario));
                Report.Print(results[^1], Console.Out);
            });
        }

        if (Wanted(CallsId) && TestMachine.Lacks("strace") is string missing)
        {
            Console.WriteLine($"*** {missing} CALLS ARE NOT COUNTED. ***");
        }
        else if (Wanted(CallsId))
        {
            failed |= !Try(CallsId, () =>
            {
                calls.AddRange(CallsResult.Count(options));
                Report.Print(calls, Console.Out);
            });
        }

        return new Report(DateTime.UtcNow, machine, options, results, calls);
    }

    /// <summary>Does one scenario. Where it fails, the others' figures are still worth having.</summary>
    private static bool Try(string id, Action scenario)
    {
        try
        {
            scenario();
            return true;
        }
        catch (Exception failure) when (failure is BenchException or InvalidOperationException or IOException)
        {
            Console.Error.WriteLine($"*** ({id}) FAILED: {failure.Message}");
            return false;
        }
    }

    private static void Write(FileInfo? file, string text)
    {
        if (file is not null)
        {
            file.Directory!.Create();
            File.WriteAllText(file.FullName, text);
        }
    }
}
