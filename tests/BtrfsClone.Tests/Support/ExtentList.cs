using System.Globalization;
using System.Text;

namespace BtrfsClone.Tests.Support;

/// <summary>Takes the extents of one file out of <c>filefrag -v -b1</c>.</summary>
internal sealed class ExtentList(EntryFacts entry)
{
    private const long Block = 4096;

    /// <summary>What says how an extent is stored; the others tell its place in the list, or follow from these.</summary>
    private static readonly string[] s_kinds = ["inline", "encoded", "unwritten", "delalloc"];

    // FICLONE takes whole blocks, the last one of the file included.
    private readonly long _end = (entry.Size + Block - 1) / Block * Block;

    private readonly StringBuilder _extents = new();
    private readonly StringBuilder _unshared = new();
    private long _beyond;

    /// <summary>Takes a line: <c>ext: logical..last: physical..last: length: [expected:] flags</c>.</summary>
    public void Add(string line)
    {
        string[] columns = line.Split(':', StringSplitOptions.TrimEntries);
        if (columns[1] == "logical_offset")
        {
            return;
        }

        long start = First(columns[1]);
        long length = First(columns[3]);
        long inside = Math.Clamp(_end - start, 0, length);
        _beyond += length - inside;
        if (inside == 0)
        {
            return;
        }

        string[] flags = columns[^1].Split(',');
        string extent = $"{start}+{inside}@{First(columns[2])}({string.Join(',', flags.Intersect(s_kinds))}) ";
        _extents.Append(extent);
        if (!flags.Contains("shared") && !flags.Contains("inline"))
        {
            _unshared.Append(extent);
        }
    }

    /// <summary>Stores what was taken in the file's facts.</summary>
    public void Store()
    {
        entry[TreeFacts.Extents] = _extents.ToString();
        entry[TreeFacts.BeyondEnd] = $"{_beyond}";
        entry.Unshared = _unshared.ToString();

        // In 512-byte units. What lies beyond the end is a fact of its own.
        entry["blocks"] = $"{long.Parse(entry["blocks"], CultureInfo.InvariantCulture) - (_beyond / 512)}";
    }

    private static long First(string range) => long.Parse(range.Split('.')[0], CultureInfo.InvariantCulture);
}
