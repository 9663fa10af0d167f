using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using BtrfsClone.Benchmarks.Measuring;

namespace BtrfsClone.Benchmarks.Reporting;

/// <summary>All that the bench has found, as it stands in the JSON file.</summary>
internal sealed record Report(
    DateTime Date,
    Machine Machine,
    Options Options,
    IReadOnlyList<ScenarioResult> Scenarios,
    IReadOnlyList<CallsResult> Calls)
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>The report as JSON: seconds, bytes and ratios as numbers.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, s_json);

    /// <summary>Prints what was measured with.</summary>
    public static void PrintMachine(Machine machine, TextWriter to)
    {
        to.WriteLine(machine);
        foreach ((string tool, string version) in machine.Versions)
        {
            to.WriteLine($"    {tool}: {version}");
        }
    }

    /// <summary>Prints a scenario's table.</summary>
    public static void Print(ScenarioResult scenario, TextWriter to)
    {
        to.WriteLine();
        to.WriteLine($"({scenario.Id}) {scenario.Title}{(scenario.Source.Length > 0 ? ": " : "")}{scenario.Source}");
        foreach (string name in scenario.Missing)
        {
            to.WriteLine($"*** {name} IS NOT HERE, AND IS LEFT OUT. ***");
        }

        if (scenario.States.Count == 0)
        {
            to.WriteLine("*** THE SCENARIO DID NOT RUN. ***");
            return;
        }

        foreach (StateResult state in scenario.States)
        {
            to.WriteLine($"    {state.Cache,-34} wall s    cpu s  peak MB  ratio, lowest-highest  target");
            foreach (ContenderResult contender in state.Contenders)
            {
                string figures = $"    {contender.Name,-32} {Figures.Seconds(contender.MedianWallSeconds),8} " +
                    $"{Figures.Seconds(contender.MedianCpuSeconds),8} {Figures.Megabytes(contender.PeakMemory),8}";
                RatioResult? ratio = state.Ratios.FirstOrDefault(r => r.Peer == contender.Name);
                to.WriteLine(ratio is null ? figures : $"{figures}   {Line(ratio)}");
            }
        }

        to.WriteLine($"    A random tree was cloned, and all its {scenario.EqualEntries} entries are equal in every field.");
    }

    /// <summary>Prints the calls for each plain file.</summary>
    public static void Print(IReadOnlyList<CallsResult> calls, TextWriter to)
    {
        to.WriteLine();
        to.WriteLine("(calls) system calls for each plain file");
        foreach (CallsResult result in calls)
        {
            string names = string.Join(", ", result.ByName.Select(c => $"{c.Key} {Figures.Ratio(c.Value)}"));
            to.WriteLine($"    {result.Contender,-32} {Figures.Ratio(result.Total),8}   {names}");
        }
    }

    private static string Line(RatioResult ratio)
    {
        string verdict = ratio.Met switch
        {
            true => $"{Figures.Ratio(ratio.Target!.Value)}",
            false => $"{Figures.Ratio(ratio.Target!.Value)} MISSED",
            null => "",
        };
        string span = $"{Figures.Ratio(ratio.Lowest)}-{Figures.Ratio(ratio.Highest)}";
        return $"{Figures.Ratio(ratio.Median)}  {span,-15}   {verdict}".TrimEnd();
    }
}
