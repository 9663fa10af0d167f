using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using BtrfsClone.Tests.Extents;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Carrying;

/// <summary>
/// Which blocks of a tree's files are which others, as filefrag or, on btrfs, dump-tree says where they lie: a line for each
/// run of blocks, with the first place in the tree where what they hold is met.
/// </summary>
internal static partial class SharingWitness
{
    private const long Block = 4096;
    private const long LargestInline = 4096;

    /// <summary>Describes a tree of which nothing is dirty.</summary>
    /// <param name="root">The tree.</param>
    /// <param name="device">Its device where that is a btrfs, to be read by dump-tree; else null.</param>
    /// <param name="withReserved">Whether what is preallocated and not written takes part, and is told apart.</param>
    /// <param name="leftOut">
    /// Blocks that take no part. The source's description, for which this is empty, adds those that files end in at different
    /// bytes, since one of them was cut after it had been cloned; and those that are followed by what is preallocated.
    /// </param>
    /// <param name="withTails">Whether the last block of a file takes part where the file does not end with it.</param>
    /// <param name="inlineThere">
    /// Blocks that are inline at the destination: what nobody shares may become so, in a file that asks for compression.
    /// </param>
    public static string Describe(
        string root, string? device, bool withReserved, bool withTails, HashSet<string> leftOut, IEnumerable<string>? inlineThere = null)
    {
        string[] files = [.. Directory.GetFiles(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        var firsts = new Dictionary<(long, bool), string>();
        var text = new StringBuilder();
        IEnumerable<(long Offset, long Length, long Place, bool Reserved)>[] all =
            device is null ? ByMap(files) : ByTrees(files, device);
        string[] inodes = Shell.Check("stat", ["--format=%d:%i", .. files]).Split('\n');
        List<Use>[] uses =
        [
            .. files.Select((file, i) => UsesOf(Path.GetRelativePath(root, file), inodes[i], new FileInfo(file).Length, all[i])),
        ];
        if (leftOut.Count == 0)
        {
            leftOut.UnionWith(uses.SelectMany(of => of).GroupBy(use => use.Key)
                .Where(same => same.Any(use => !withTails && use.Length < Block) || same.Select(use => use.Length).Distinct().Count() > 1)
                .SelectMany(same => same).Select(use => use.Name));
            leftOut.UnionWith(uses.Where(of => of.Any(use => use.Length <= 0))
                .SelectMany(of => of).Where(use => use.Length is > 0 and < Block).Select(use => use.Name));
            leftOut.UnionWith(Inline(root, device));
            leftOut.UnionWith(uses.SelectMany(of => of).GroupBy(use => use.Key)
                .Where(same => same.Select(use => use.Inode).Distinct().Count() == 1)
                .SelectMany(same => same).Select(use => use.Name).Intersect(inlineThere ?? []));
            leftOut.UnionWith(files.Where(file => new FileInfo(file).Length <= LargestInline)
                .Select(file => $"{Path.GetRelativePath(root, file)} 0"));
            leftOut.Add("");
        }

        foreach (Use use in uses.SelectMany(of => of))
        {
            bool takesPart = (!use.Key.Reserved || (withReserved && use.Length > 0)) && !leftOut.Contains(use.Name);
            if (takesPart && !firsts.TryGetValue(use.Key, out string? first))
            {
                firsts.Add(use.Key, use.Name);
            }

            if (takesPart)
            {
                text.Append(use.Name).Append(use.Key.Reserved ? " reserved" : " data").Append(" is ").Append(firsts[use.Key]).Append('\n');
            }
        }

        return text.ToString();
    }

    /// <summary>The first blocks of files that are inline: in one that has grown since they cannot be written so again.</summary>
    public static IEnumerable<string> Inline(string root, string? device)
    {
        string[] files = [.. Directory.GetFiles(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        return device is null
            ? []
            : [.. Lines(files, device).Zip(files).Where(file => file.First[0].Contains(" Inline ", StringComparison.Ordinal))
                .Select(file => $"{Path.GetRelativePath(root, file.Second)} 0")];
    }

    /// <summary>The compressed pieces, and how the extents that they lie in are stored, but for where.</summary>
    public static SortedSet<string> Compressed(string root, string device)
    {
        string[] files = [.. Directory.GetFiles(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        return new(Lines(files, device).SelectMany((lines, i) => lines
            .Where(line => Stored().IsMatch(line))
            .Select(line => $"{Path.GetRelativePath(root, files[i])} {Stored().Replace(line, "$1")}")));
    }

    private static List<Use> UsesOf(
        string name, string inode, long size, IEnumerable<(long Offset, long Length, long Place, bool Reserved)> pieces) =>
    [
        .. pieces.SelectMany(piece => Enumerable.Range(0, (int)(piece.Length / Block)).Select(i => new Use(
            $"{name} {(piece.Offset / Block) + i}",
            inode,
            (piece.Place + (i * Block), piece.Reserved),
            Math.Min(size - piece.Offset - (i * Block), Block)))),
    ];

    /// <summary>The pieces of one file, by offset and length.</summary>
    public static (long Offset, long Length)[] Pieces(string file, string device) =>
        [.. ByTrees([file], device)[0].Select(piece => (piece.Item1, piece.Item2))];

    private static List<(long, long, long, bool)>[] ByMap(string[] files) =>
    [
        .. Filefrag.Of(files).Select(extents => extents
            .Where(e => !e.Is("inline"))
            .Select(e => (e.Offset, e.Length, e.Physical, e.Is("unwritten"))).ToList()),
    ];

    private static List<(long, long, long, bool)>[] ByTrees(string[] files, string device) =>
    [
        .. Lines(files, device).Select(lines => lines
            .Select(line => Piece().Match(line))
            .Where(match => match.Success)
            .Select(match => (N(match, 1), N(match, 2), (N(match, 4) * 64) + N(match, 5), match.Groups[3].Value == "Prealloc")).ToList()),
    ];

    private static IEnumerable<string[]> Lines(string[] files, string device)
    {
        var dump = new TreeDump(device);
        var roots = new Dictionary<string, long>();
        foreach (string file in files)
        {
            string folder = Path.GetDirectoryName(file)!;
            if (!roots.TryGetValue(folder, out long id))
            {
                id = long.Parse(Shell.Check("btrfs", "inspect-internal", "rootid", folder), CultureInfo.InvariantCulture);
                roots.Add(folder, id);
            }

            long inode = long.Parse(Shell.Check("stat", "--format=%i", file), CultureInfo.InvariantCulture);
            yield return dump.Of(id, inode).Split('\n');
        }
    }

    private static long N(Match match, int group) => long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    /// <summary>A block of a file, where it lies, and how many bytes of the file are in it: none beyond its end.</summary>
    private sealed record Use(string Name, string Inode, (long Place, bool Reserved) Key, long Length);

    [GeneratedRegex(@"^(\d+)\+(\d+) (Data|Prealloc) at (\d+)\+\d+ offset (\d+)")]
    private static partial Regex Piece();

    [GeneratedRegex(@" Data at \d+(\+\d+ offset \d+ ram \d+ (?:Zstd|Zlib|Lzo)) gen \d+ refs \d+$")]
    private static partial Regex Stored();
}
