using System.Globalization;
using System.Text.RegularExpressions;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Optimizing;

/// <summary>
/// Which extents are used in part only, by all subvolumes' trees as <c>btrfs inspect-internal dump-tree</c> shows them. All has to
/// be written out.
/// </summary>
internal sealed partial class WasteWitness
{
    public const string Tools = "btrfs blockdev sync";

    private readonly Dictionary<long, Extent> _extents = [];

    /// <param name="image">The filesystem.</param>
    public WasteWitness(ScratchImage image)
    {
        HashSet<long> readOnly = [.. Shell.Check("btrfs", "subvolume", "list", "-r", image.Root)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => long.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture))];
        string[] lines = Dump(image).Split('\n');
        long tree = 0;
        bool isWithoutChecksums = false;
        bool isDeleted = false;
        for (int i = 0; i < lines.Length; i++)
        {
            if (TreeHead().Match(lines[i]) is { Success: true } head)
            {
                tree = head.Groups[1].Value == "FS_TREE" ? 5
                    : long.TryParse(head.Groups[1].Value, CultureInfo.InvariantCulture, out long id) && id >= 256 ? id : 0;
            }
            else if (InodeFlags().Match(lines[i]) is { Success: true } flags)
            {
                isWithoutChecksums = flags.Groups[1].Value.Contains("NODATASUM", StringComparison.Ordinal);
            }
            else if (Links().Match(lines[i]) is { Success: true } links)
            {
                isDeleted = links.Groups[1].Value == "0";
            }
            else if (tree != 0 && FileExtent().IsMatch(lines[i]) && Place().Match(lines[i + 2]) is { Success: true } place &&
                Number(place, 1) > 0)
            {
                Match piece = Piece().Match(lines[i + 3]);
                bool isRegular = lines[i + 1].Contains("(regular)", StringComparison.Ordinal);
                bool isCompressed = isRegular && !lines[i + 4].Contains("(none)", StringComparison.Ordinal);
                Add(place, piece, isFixed: readOnly.Contains(tree) || isWithoutChecksums || !isRegular, isCompressed, isDeleted);
            }
        }
    }

    /// <summary>How many extents there are.</summary>
    public int Count => _extents.Count;

    /// <summary>The bytes of all extents on disk.</summary>
    public long DiskLength => _extents.Values.Sum(extent => extent.DiskLength);

    /// <summary>Of what is not compressed, the bytes in extents that somebody uses.</summary>
    public long Reachable => _extents.Values.Where(extent => !extent.IsCompressed).Sum(extent => extent.Used.Count * 4096L);

    /// <summary>
    /// The bytes that nobody uses of extents that are not compressed, and to which a file refers that has a name (no walk finds the
    /// others), but nothing that may not be moved.
    /// </summary>
    public long Waste => _extents.Values.Where(extent => !extent.IsCompressed && !extent.IsFixed && extent.IsNamed)
        .Sum(extent => extent.DiskLength - (extent.Used.Count * 4096L));

    /// <summary>The same of those to which something refers that may not be moved.</summary>
    public long FixedWaste => _extents.Values.Where(extent => !extent.IsCompressed && extent.IsFixed && extent.IsNamed)
        .Sum(extent => extent.DiskLength - (extent.Used.Count * 4096L));

    /// <summary>All trees as text. A commit may write the superblock while it is read, which then has the wrong checksum.</summary>
    private static string Dump(ScratchImage image)
    {
        ShellResult result = new(1, "", "");
        for (int attempt = 0; attempt < 10 && result.ExitCode != 0; attempt++)
        {
            Shell.Check("sync", "--file-system", image.Root);
            Shell.Check("blockdev", "--flushbufs", image.Device);
            result = Shell.Run("btrfs", "inspect-internal", "dump-tree", image.Device);
        }

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        return result.Output;
    }

    private void Add(Match place, Match piece, bool isFixed, bool isCompressed, bool isDeleted)
    {
        if (!_extents.TryGetValue(Number(place, 1), out Extent? extent))
        {
            _extents.Add(Number(place, 1), extent = new Extent(Number(place, 2), isCompressed));
        }

        extent.IsFixed |= isFixed;
        extent.IsNamed |= !isDeleted;
        for (long block = Number(piece, 1) / 4096; block < (Number(piece, 1) + Number(piece, 2)) / 4096; block++)
        {
            extent.Used.Add(block);
        }
    }

    private static long Number(Match match, int group) => long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?:fs tree|file tree) key \((\S+) ROOT_ITEM")]
    private static partial Regex TreeHead();

    [GeneratedRegex(@"^\t\tsequence \d+ flags 0x[0-9a-f]+\(([^)]*)\)")]
    private static partial Regex InodeFlags();

    [GeneratedRegex(@"^\t\tblock group \d+ mode \d+ links (\d+) ")]
    private static partial Regex Links();

    [GeneratedRegex(@"^\titem \d+ key \(\d+ EXTENT_DATA \d+\)")]
    private static partial Regex FileExtent();

    [GeneratedRegex(@"disk byte (\d+) nr (\d+)")]
    private static partial Regex Place();

    [GeneratedRegex(@"data offset (\d+) nr (\d+)")]
    private static partial Regex Piece();

    private sealed class Extent(long diskLength, bool isCompressed)
    {
        public long DiskLength => diskLength;

        public bool IsCompressed => isCompressed;

        public bool IsFixed { get; set; }

        public bool IsNamed { get; set; }

        public HashSet<long> Used { get; } = [];
    }
}
