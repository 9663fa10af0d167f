using System.Globalization;
using System.Text.RegularExpressions;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Optimizing;

/// <summary>Makes fragments, and has <c>filefrag</c> tell what files are made of.</summary>
internal static partial class Fragments
{
    public const string Tools = "filefrag find";
    private const int Block = Optimizer.Block;

    /// <summary>Writes ranges of a file, each of which becomes an extent of its own, away from the last one.</summary>
    public static void Write(string path, Random random, long length, int blocks)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Write);
        for (long end = length; end > 0;)
        {
            long begin = Math.Max((end - 1) / Block - random.Next(blocks), 0) * Block;
            byte[] content = new byte[end - begin];
            random.NextBytes(content);
            RandomAccess.Write(file, content, begin);
            RandomAccess.FlushToDisk(file);
            end = begin;
        }
    }

    /// <summary>How many extents a file has, where what lies behind one another on disk counts as one.</summary>
    public static int Count(string path) =>
        int.Parse(Found().Match(Shell.Check("filefrag", path)).Groups[1].Value, CultureInfo.InvariantCulture);

    public static int CountAll(string root) => Files(root).Sum(Count);

    /// <summary>
    /// Which blocks of all files are the same on disk: of each block in use the number of its place, in the order in which they
    /// are met.
    /// </summary>
    public static string Sharing(string root)
    {
        Dictionary<long, int> numbers = [];
        List<string> lines = [];
        foreach (string path in Files(root))
        {
            lines.Add(path);
            foreach (Match extent in Extent().Matches(Shell.Check("filefrag", "-v", "-b4096", path)))
            {
                long[] values = [.. extent.Groups.Values.Skip(1).Select(group => long.Parse(group.Value, CultureInfo.InvariantCulture))];
                for (long block = 0; block < values[2]; block++)
                {
                    numbers.TryAdd(values[1] + block, numbers.Count);
                    lines.Add($"{values[0] + block} {numbers[values[1] + block]}");
                }
            }
        }

        return string.Join('\n', lines);
    }

    private static IEnumerable<string> Files(string root) => Shell.Check("find", root, "-type", "f")
        .Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal);

    [GeneratedRegex(@": (\d+) extents? found")]
    private static partial Regex Found();

    [GeneratedRegex(@"^ *\d+: *(\d+)\.\. *\d+: *(\d+)\.\. *\d+: *(\d+):", RegexOptions.Multiline)]
    private static partial Regex Extent();
}
