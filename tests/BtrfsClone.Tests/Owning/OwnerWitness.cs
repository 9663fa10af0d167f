using System.Globalization;
using System.Text.RegularExpressions;
using BtrfsClone.Owning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Owning;

/// <summary>
/// Who refers to which extent, by a walk of all subvolumes: the pieces by <c>btrfs inspect-internal dump-tree</c>, the names by
/// find(1), the subvolumes by <c>btrfs subvolume list</c>. All has to be written out.
/// </summary>
internal sealed partial class OwnerWitness
{
    public const string Tools = "btrfs find blockdev";

    private readonly Dictionary<long, List<string>> _owners = [];

    /// <param name="root">Where the filesystem's top level is mounted.</param>
    /// <param name="device">Its device.</param>
    public OwnerWitness(string root, string device)
    {
        Dictionary<long, string> subvolumes = Subvolumes(root);
        ILookup<(long, long), string> names = Names(root, subvolumes);
        Shell.Check("blockdev", "--flushbufs", device);
        string[] lines = Shell.Check("btrfs", "inspect-internal", "dump-tree", device).Split('\n');
        long tree = 0;
        for (int i = 0; i < lines.Length; i++)
        {
            Match match = TreeHead().Match(lines[i]);
            if (match.Success)
            {
                tree = match.Groups[1].Value == "FS_TREE" ? 5 : long.TryParse(match.Groups[1].Value, out long id) ? id : 0;
            }
            else if (subvolumes.TryGetValue(tree, out string? subvolume) && (match = FileExtent().Match(lines[i])).Success &&
                Place().Match(lines[i + 2]) is { Success: true } place && Number(place, 1) > 0)
            {
                Match piece = Piece().Match(lines[i + 3]);
                long inode = Number(match, 1);
                string[] paths = [.. names[(tree, inode)].DefaultIfEmpty("")];
                foreach (string path in paths)
                {
                    Add(Number(place, 1), Line(
                        tree, subvolume, inode, Number(match, 2), Number(piece, 2), Number(piece, 1), Number(place, 2), path));
                }
            }
        }
    }

    /// <summary>The extents that there are.</summary>
    public IReadOnlyCollection<long> Extents => _owners.Keys;

    /// <summary>The owners of an extent, as sorted lines.</summary>
    public string Of(long extent) => Sorted(_owners[extent]);

    /// <summary>Owners that were found, as sorted lines.</summary>
    public static string Lines(IEnumerable<BtrfsExtentOwner> owners) => Sorted(owners.Select(owner => Line(
        owner.SubvolumeId, owner.Subvolume!, owner.Inode, owner.Offset, owner.Length, owner.ExtentOffset, owner.DiskLength,
        owner.IsDeleted ? "" : owner.Path ?? "nowhere")));

    private static string Line(
        long tree, string subvolume, long inode, long offset, long length, long extentOffset, long diskLength, string path) =>
        $"{tree} {subvolume} {inode}: {offset}+{length} of {extentOffset}, {diskLength}: {path}";

    private static string Sorted(IEnumerable<string> lines) => string.Join('\n', lines.Order(StringComparer.Ordinal));

    private static Dictionary<long, string> Subvolumes(string root)
    {
        var subvolumes = new Dictionary<long, string> { [5] = "/" };
        foreach (string line in Shell.Check("btrfs", "subvolume", "list", root).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Match match = Subvolume().Match(line);
            subvolumes.Add(Number(match, 1), "/" + match.Groups[2].Value);
        }

        return subvolumes;
    }

    private static ILookup<(long Tree, long Inode), string> Names(string root, Dictionary<long, string> subvolumes) =>
        Shell.Check("find", root, "-type", "f", "-printf", "%i %p\n").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', 2))
            .ToLookup(
                fields =>
                {
                    string path = fields[1][root.Length..];
                    long tree = subvolumes.Where(one => one.Key == 5 || path.StartsWith(one.Value + "/", StringComparison.Ordinal))
                        .MaxBy(one => one.Value.Length).Key;
                    return (tree, long.Parse(fields[0], CultureInfo.InvariantCulture));
                },
                fields => fields[1]);

    private static long Number(Match match, int group) => long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    private void Add(long extent, string line)
    {
        if (!_owners.TryGetValue(extent, out List<string>? lines))
        {
            _owners.Add(extent, lines = []);
        }

        lines.Add(line);
    }

    [GeneratedRegex(@"^\w[\w ]* tree key \((\w+) ROOT_ITEM \d+\)")]
    private static partial Regex TreeHead();

    [GeneratedRegex(@"^\titem \d+ key \((\d+) EXTENT_DATA (\d+)\)")]
    private static partial Regex FileExtent();

    [GeneratedRegex(@"disk byte (\d+) nr (\d+)")]
    private static partial Regex Place();

    [GeneratedRegex(@"data offset (\d+) nr (\d+)")]
    private static partial Regex Piece();

    [GeneratedRegex(@"^ID (\d+) .* path (.*)$")]
    private static partial Regex Subvolume();
}
