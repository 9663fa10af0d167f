using System.Globalization;
using System.Text.RegularExpressions;
using BtrfsClone.Tests.Owning;

namespace BtrfsClone.Tests.Reporting;

/// <summary>Who holds each extent of a filesystem, by the tools that <see cref="OwnerWitness"/> asks.</summary>
internal sealed partial class HolderWitness
{
    private readonly List<(long Length, ILookup<string, string> Files)> _extents = [];

    public HolderWitness(string root, string device)
    {
        OwnerWitness owners = new(root, device);
        foreach (long extent in owners.Extents)
        {
            Match[] lines = [.. owners.Of(extent).Split('\n').Select(line => OwnerLine().Match(line))];
            _extents.Add((
                long.Parse(lines[0].Groups["length"].Value, CultureInfo.InvariantCulture),
                lines.ToLookup(line => line.Groups["file"].Value, line => line.Groups["path"].Value)));
        }
    }

    /// <summary>What the files that a test chooses hold: all, by one file alone, and by several of them.</summary>
    public (long Data, long Alone, long Inside) Of(Func<string, bool> isIn)
    {
        (long data, long alone, long inside) = (0, 0, 0);
        foreach ((long length, ILookup<string, string> files) in _extents)
        {
            string[] names = [.. files.SelectMany(file => file)];
            data += names.Any(isIn) ? length : 0;
            if (names.All(isIn))
            {
                (alone, inside) = files.Count == 1 ? (alone + length, inside) : (alone, inside + length);
            }
        }

        return (data, alone, inside);
    }

    /// <summary>Pairs of groups that hold the same extents, as <c>one other length</c>.</summary>
    /// <param name="groupOf">The group that a name belongs to.</param>
    public IEnumerable<string> Pairs(Func<string, string> groupOf)
    {
        Dictionary<string, long> pairs = [];
        foreach ((long length, ILookup<string, string> files) in _extents)
        {
            string[] groups = [.. files.SelectMany(file => file).Select(groupOf).Distinct().Order(StringComparer.Ordinal)];
            foreach (string pair in groups.SelectMany((one, i) => groups.Skip(i + 1).Select(other => $"{one} {other}")))
            {
                pairs[pair] = pairs.GetValueOrDefault(pair) + length;
            }
        }

        return pairs.Where(pair => !pair.Key.StartsWith("elsewhere elsewhere", StringComparison.Ordinal))
            .Select(pair => $"{pair.Key} {pair.Value}");
    }

    [GeneratedRegex(@"^(?<file>\d+ \S+ \d+): .*, (?<length>\d+): (?<path>.*)$")]
    private static partial Regex OwnerLine();
}
