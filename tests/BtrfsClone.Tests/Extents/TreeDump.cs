using System.Globalization;
using System.Text.RegularExpressions;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Extents;

/// <summary>All file extents and their references, as <c>btrfs inspect-internal dump-tree</c> finds them on disk.</summary>
internal sealed partial class TreeDump
{
    private readonly Dictionary<(long Root, long Inode), List<string>> _extents = [];
    private readonly Dictionary<long, long> _references = [];

    /// <summary>Reads a device, on which everything has to be committed.</summary>
    public TreeDump(string device)
    {
        // The dump reads through the device's page cache, which the filesystem goes past.
        Shell.Check("blockdev", "--flushbufs", device);
        string[] lines = Shell.Check("btrfs", "inspect-internal", "dump-tree", device).Split('\n');
        long root = 0;
        for (int i = 0; i < lines.Length; i++)
        {
            Match match = TreeHead().Match(lines[i]);
            if (match.Success)
            {
                root = match.Groups[1].Value == "FS_TREE" ? 5 : long.TryParse(match.Groups[1].Value, out long id) ? id : 0;
            }
            else if ((match = FileExtent().Match(lines[i])).Success && root > 0)
            {
                Add(root, Number(match, 1), Number(match, 2), lines.AsSpan(i + 1, 4));
            }
            else if ((match = ExtentItem().Match(lines[i])).Success)
            {
                _references[Number(match, 1)] = Number(References().Match(lines[i + 1]), 1);
            }
        }
    }

    /// <summary>
    /// The extents of a file as lines: <c>offset+length kind at disk offset+length, extent offset, ram length,
    /// compression, generation, references</c>. The dump does not say how long a preallocated extent is in memory.
    /// </summary>
    public string Of(long root, long inode) =>
        _extents.TryGetValue((root, inode), out List<string>? found) ? string.Join('\n', found) : "";

    public static string Line(
        long offset, long length, string kind, long? disk, long? diskLength, long? extentOffset, long? ram,
        string? compression, long? generation, long? references) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{offset}+{length} {kind} at {disk}+{diskLength} offset {extentOffset} ram {ram} {compression} gen {generation} " +
            $"refs {references}");

    private static long Number(Match match, int group) =>
        long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    private static string Name(string compression) => compression switch
    {
        "none" => "None",
        "zlib" => "Zlib",
        "lzo" => "Lzo",
        "zstd" => "Zstd",
        _ => throw new FormatException(compression),
    };

    private void Add(long root, long inode, long offset, ReadOnlySpan<string> lines)
    {
        Match head = Head().Match(lines[0]);
        long generation = Number(head, 1);
        string kind = head.Groups[2].Value;
        string line;
        if (kind == "inline")
        {
            Match inline = Inline().Match(lines[1]);
            line = Line(
                offset, Number(inline, 2), "Inline", null, Number(inline, 1), null, Number(inline, 2),
                Name(inline.Groups[3].Value), generation, null);
        }
        else
        {
            Match place = Place().Match(lines[1]);
            Match piece = Piece().Match(lines[2]);
            long disk = Number(place, 1);
            if (disk == 0)
            {
                return; // A hole, on a filesystem without no-holes.
            }

            bool isPrealloc = kind == "prealloc";
            line = Line(
                offset, Number(piece, 2), isPrealloc ? "Prealloc" : "Data", disk, Number(place, 2), Number(piece, 1),
                isPrealloc ? null : Number(piece, 3),
                isPrealloc ? "None" : Name(Compression().Match(lines[3]).Groups[1].Value),
                generation, _references[disk]);
        }

        if (!_extents.TryGetValue((root, inode), out List<string>? list))
        {
            _extents[(root, inode)] = list = [];
        }

        list.Add(line);
    }

    [GeneratedRegex(@"^\w[\w ]* tree key \((\w+) ROOT_ITEM \d+\)")]
    private static partial Regex TreeHead();

    [GeneratedRegex(@"^\titem \d+ key \((\d+) EXTENT_DATA (\d+)\)")]
    private static partial Regex FileExtent();

    [GeneratedRegex(@"^\titem \d+ key \((\d+) EXTENT_ITEM \d+\)")]
    private static partial Regex ExtentItem();

    [GeneratedRegex(@"refs (\d+)")]
    private static partial Regex References();

    [GeneratedRegex(@"generation (\d+) type \d \((\w+)\)")]
    private static partial Regex Head();

    [GeneratedRegex(@"inline extent data size (\d+) ram_bytes (\d+) compression \d \((\w+)\)")]
    private static partial Regex Inline();

    [GeneratedRegex(@"disk byte (\d+) nr (\d+)")]
    private static partial Regex Place();

    [GeneratedRegex(@"data offset (\d+) nr (\d+)(?: ram (\d+))?")]
    private static partial Regex Piece();

    [GeneratedRegex(@"extent compression \d \((\w+)\)")]
    private static partial Regex Compression();
}
