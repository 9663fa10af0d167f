using System.Runtime.CompilerServices;
using BtrfsClone.Architecture;

// Prints folders with the folders that each knows, with --files also files; what breaks a rule of the house; and cycles.
HouseRules rules = new(Path.GetFullPath(Path.Combine(ThisFolder(), "../..")));
SourceGraph graph = rules.Graph;
foreach ((string folder, SortedSet<string> known) in graph.Folders)
{
    Console.WriteLine($"{HouseRules.Name(folder)} -> {string.Join(", ", known.Select(HouseRules.Name))}");
}

if (args.Contains("--files"))
{
    foreach ((string file, SortedSet<string> known) in graph.Files)
    {
        Console.WriteLine($"{file} -> {string.Join(", ", known)}");
    }
}

foreach (string broken in rules.Broken)
{
    Console.WriteLine(broken);
}

foreach (string[] cycle in SourceGraph.Cycles(graph.Folders))
{
    Console.WriteLine($"folders that know each other: {string.Join(", ", cycle.Select(HouseRules.Name))}");
}

static string ThisFolder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
