using System.Globalization;
using System.Text.RegularExpressions;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Syncing;

/// <summary>Compares what a sync was from and to, by the system's own tools.</summary>
internal static partial class SyncedTrees
{
    /// <summary>The commands that they are compared by.</summary>
    public const string Tools = TreeFacts.Tools + " " + Fingerprint.Tools;

    /// <summary>Fails unless the folder's two trees are equal, but for access times and the xattr that a sync leaves.</summary>
    public static void AssertEqual(string folder)
    {
        TreeFacts facts = TreeFacts.Of(folder);
        TreeFacts expected = facts.Below("source");
        TreeFacts found = facts.Below("destination");
        foreach ((string path, EntryFacts entry) in expected.Entries)
        {
            if (found.Entries.TryGetValue(path, out EntryFacts? other))
            {
                Simplify(entry, other);
            }
        }

        expected.AssertEqual(found, [TreeFacts.AccessTime, "trusted.btrfs-clone.sync"]);
        Assert.Equal(Fingerprint.TextOf($"{folder}/source"), Fingerprint.TextOf($"{folder}/destination"));
        if (TestMachine.Lacks("rsync") is null)
        {
            // The property is compared above, with what its flag stands for.
            Assert.Equal("", Shell.Check(
                "rsync", "-aHAXni", "--delete", "--checksum",
                "--filter=-x trusted.btrfs-clone.*", "--filter=-x btrfs.compression",
                $"{folder}/source/", $"{folder}/destination/"));
        }
    }

    /// <summary>
    /// Leaves out what the kernel decides by itself while it writes out: that a file does not compress well (lsattr's m, which
    /// hides c), and whether what has something beyond its end is inline, which cannot be cloned as such. And joins pieces of
    /// one compressed extent: filefrag does not tell where inside they begin.
    /// </summary>
    private static void Simplify(EntryFacts entry, EntryFacts other)
    {
        bool isDecided = IsIncompressible(entry) != IsIncompressible(other);
        bool isInlineByChance = IsInline(entry) != IsInline(other) &&
            entry.GetValueOrDefault(TreeFacts.BeyondEnd) is { } beyond && beyond != "0";
        foreach (EntryFacts facts in new[] { entry, other })
        {
            if (isDecided)
            {
                facts[TreeFacts.Flags] = facts[TreeFacts.Flags].Replace("c", "", StringComparison.Ordinal)
                    .Replace("m", "", StringComparison.Ordinal);
            }

            if (facts.TryGetValue(TreeFacts.Extents, out string? extents))
            {
                facts[TreeFacts.Extents] = isInlineByChance ? "" : Joined(extents);
            }
        }
    }

    private static bool IsIncompressible(EntryFacts entry) => entry.GetValueOrDefault(TreeFacts.Flags, "").Contains('m');

    private static bool IsInline(EntryFacts entry) =>
        entry.GetValueOrDefault(TreeFacts.Extents, "").Contains("inline", StringComparison.Ordinal);

    private static string Joined(string extents)
    {
        List<(long Offset, long Length, string Place)> pieces = [];
        foreach (Match match in Piece().Matches(extents))
        {
            long offset = long.Parse(match.Groups["offset"].Value, CultureInfo.InvariantCulture);
            long length = long.Parse(match.Groups["length"].Value, CultureInfo.InvariantCulture);
            string place = match.Groups["place"].Value;
            if (pieces.Count > 0 && pieces[^1] is var last && last.Place == place && last.Offset + last.Length == offset &&
                place.Contains("encoded", StringComparison.Ordinal))
            {
                pieces[^1] = last with { Length = last.Length + length };
            }
            else
            {
                pieces.Add((offset, length, place));
            }
        }

        return string.Join(' ', pieces.Select(piece => $"{piece.Offset}+{piece.Length}@{piece.Place}"));
    }

    [GeneratedRegex(@"(?<offset>\d+)\+(?<length>\d+)@(?<place>\S+)")]
    private static partial Regex Piece();
}
