using BtrfsClone.Benchmarks.Scenarios;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Benchmarks.Measuring;

/// <summary>Nothing may be lost on the way to a good figure.</summary>
internal static class Equality
{
    /// <summary>
    /// Clones a random tree and compares the clone with it in every field, with the tests' own witness. Returns how
    /// many entries were equal.
    /// </summary>
    public static int CheckRandomTree(Site site, Contender cloner, int seed)
    {
        (string source, string clone) = (site.At("random"), site.At("random.clone"));
        RandomTree.Make(source, seed);
        TreeFacts before = TreeFacts.Of(source);
        Execution.Run(cloner.Command(source, clone));
        TreeFacts cloned = TreeFacts.Of(clone);
        string differences = before.DifferencesOf(cloned);
        if (differences.Length > 0 || cloned.Unshared.Count > 0)
        {
            throw new BenchException(
                $"{cloner.Name} made of random tree {seed} another one:\n{differences}\n{string.Join('\n', cloned.Unshared)}");
        }

        return cloned.Entries.Count;
    }

    /// <summary>
    /// Compares a scenario's own clone with its source by what find tells of each entry: a look at every extent would
    /// take longer than the scenario.
    /// </summary>
    public static void CheckClone(string source, string clone)
    {
        (string[] expected, string[] found) = (List(source), List(clone));
        string[] differences = [.. expected.Except(found).Take(5).Concat(found.Except(expected).Take(5))];
        if (differences.Length > 0 || expected.Length != found.Length)
        {
            throw new BenchException($"{clone} differs from {source}:\n{string.Join('\n', differences)}");
        }
    }

    private static string[] List(string root)
    {
        // The top directory was made for the scenario, not always by the cloner.
        string mindepth = Directory.Exists(root) ? "1" : "0";
        const string Fields = @"%P %y %m %U %G %n %s %T@ %l\0";
        return Execution.Check("find", root, "-mindepth", mindepth, "-printf", Fields).Split('\0');
    }
}
