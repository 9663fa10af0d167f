using System.Text;

namespace BtrfsClone.Tests.Support;

/// <summary>
/// A tree in a line for each entry: type, mode, owner, size, modification time, links, target and the digest of the
/// content. Quicker than <see cref="TreeFacts"/>, for tests that look at many trees.
/// </summary>
public static class Fingerprint
{
    /// <summary>The commands that it comes from.</summary>
    public const string Tools = "find xargs sha256sum";

    /// <summary>Takes the fingerprint. Paths are relative to the root, whose own is empty, as byte text.</summary>
    /// <param name="root">The tree's top directory.</param>
    /// <param name="links">Whether the number of links counts: it is less while some of them are missing.</param>
    public static SortedDictionary<string, string> Of(string root, bool links = true)
    {
        SortedDictionary<string, string> entries = new(StringComparer.Ordinal);
        byte[] listed = Shell.CheckBytes(null, "find", root, "-printf", @"%P\0%y %m %U %G %s %T@ %n %l\0");
        foreach (string[] entry in Fields(listed).Chunk(2))
        {
            string facts = entry[1];
            string[] fields = facts.Split(' ', 8);
            if (facts[0] == 'd')
            {
                fields[4] = "-"; // The filesystem's own affair.
            }

            fields[6] = links && facts[0] != 'd' ? fields[6] : "-";
            entries.Add(entry[0], string.Join(' ', fields));
        }

        byte[] digests = Shell.CheckBytes(
            null, "sh", "-c", "cd \"$1\" && find . -type f -print0 | xargs -0 -r sha256sum -z", "sh", root);
        foreach (string record in Fields(digests))
        {
            entries[record[68..]] += " " + record[..64];
        }

        return entries;
    }

    /// <summary>The fingerprint as text, a line for each entry.</summary>
    public static string TextOf(string root)
    {
        StringBuilder text = new();
        foreach ((string path, string facts) in Of(root))
        {
            text.Append(ByteText.Show(path)).Append(": ").Append(ByteText.Show(facts)).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>What ends in a zero byte each. The first may be empty: the root's path.</summary>
    private static string[] Fields(byte[] output) => ByteText.FromBytes(output).Split('\0')[..^1];
}
