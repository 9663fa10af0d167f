using System.Globalization;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Merging;

/// <summary>Where filefrag says that each block of a file lies; holes and inline data are left out.</summary>
internal static class BlockMap
{
    public const int Block = 4096;

    public static Dictionary<long, long> Of(string path)
    {
        Shell.Check("sync", path);
        Dictionary<long, long> blocks = [];
        foreach (string line in Shell.Check("filefrag", "-v", "-b4096", path).Split('\n'))
        {
            string[] columns = line.Split(':', StringSplitOptions.TrimEntries);
            if (columns.Length < 5 || columns[0] == "ext" || columns[^1].Contains("inline", StringComparison.Ordinal))
            {
                continue;
            }

            long logical = First(columns[1]);
            long physical = First(columns[2]);
            bool encoded = columns[^1].Contains("encoded", StringComparison.Ordinal);
            for (long i = 0; i < First(columns[3]); i++)
            {
                blocks[logical + i] = encoded ? physical : physical + i;
            }
        }

        return blocks;
    }

    private static long First(string range) => long.Parse(range.Split('.')[0], CultureInfo.InvariantCulture);
}
