using System.Text;

namespace BtrfsClone.Tests.Support;

/// <summary>
/// Every field of every entry of a tree, as find, stat, getfattr, lsattr and filefrag see it. Not compared are the
/// inode's number, its change and its birth time, which no clone can keep.
/// </summary>
public sealed class TreeFacts
{
    /// <summary>The commands that the facts come from.</summary>
    public const string Tools = "find xargs stat getfattr lsattr filefrag sync";

    /// <summary>Which paths are one inode.</summary>
    public const string HardLinks = "hard links";

    /// <summary>The inode flags, as chattr(1) letters.</summary>
    public const string Flags = "flags";

    /// <summary>The extents as FIEMAP gives them: logical and physical ranges in bytes and how they are stored.</summary>
    public const string Extents = "extents";

    /// <summary>
    /// The lengths preallocated past the file's last block, which FICLONE does not take: it ends where the file does.
    /// </summary>
    public const string BeyondEnd = "preallocated beyond the end";

    public const string AccessTime = "atime";

    private const int MaxReported = 25;

    private readonly SortedDictionary<string, EntryFacts> _entries = new(StringComparer.Ordinal);

    private TreeFacts()
    {
    }

    /// <summary>The entries by their path relative to the tree's root, which is the empty path, as byte text.</summary>
    public IReadOnlyDictionary<string, EntryFacts> Entries => _entries;

    /// <summary>The regular files with extents of which nobody else holds a reference, with those extents.</summary>
    public IReadOnlyList<string> Unshared =>
        [.. _entries.Where(e => e.Value.Unshared.Length > 0).Select(e => $"{ByteText.Show(e.Key)}: {e.Value.Unshared}")];

    /// <summary>The facts that a witness may change by looking.</summary>
    public static string[] Unstable(ScratchBtrfs btrfs) => btrfs.KeepsAccessTimes ? [] : [AccessTime];

    /// <summary>Writes out what is dirty on the file system, then takes down all facts of the tree.</summary>
    public static TreeFacts Of(string root)
    {
        Shell.Check("sync", "--file-system", root);
        return OfWritten(root);
    }

    /// <summary>Takes down all facts of a tree of which nothing is dirty.</summary>
    public static TreeFacts OfWritten(string root)
    {
        TreeFacts facts = new();
        facts.ReadStatus(root);
        string[] all = [.. facts._entries.Keys];
        root = ByteText.FromText(root);
        facts.ReadDevices(root, [.. all.Where(p => facts._entries[p]["type"] is "b" or "c")]);
        facts.ReadXattrs(root, all);
        facts.ReadFlags(root, [.. all.Where(p => facts._entries[p]["type"] is "f" or "d" && !facts._entries[p].IsPlaceholder)]);
        facts.ReadExtents(root, [.. all.Where(p => facts._entries[p].IsFile)]);
        return facts;
    }

    /// <summary>The facts of what is below one directory of the tree, as those of a tree of its own.</summary>
    /// <param name="path">The directory's path, as byte text.</param>
    public TreeFacts Below(string path)
    {
        TreeFacts facts = new();
        foreach ((string name, EntryFacts entry) in _entries)
        {
            if (name == path || name.StartsWith(path + "/", StringComparison.Ordinal))
            {
                facts._entries.Add(RelativeTo(path, name), entry);
                if (entry.TryGetValue(HardLinks, out string? first))
                {
                    entry[HardLinks] = RelativeTo(path, first);
                }
            }
        }

        return facts;
    }

    /// <summary>Every field in which the other tree differs, a line each; empty where the trees are equal.</summary>
    /// <param name="actual">The tree that ought to equal this one.</param>
    /// <param name="except">Fields that are left out.</param>
    public string DifferencesOf(TreeFacts actual, params string[] except)
    {
        List<string> lines = [];
        foreach (string path in _entries.Keys.Union(actual._entries.Keys).Order(StringComparer.Ordinal))
        {
            if (!_entries.TryGetValue(path, out EntryFacts? expected))
            {
                lines.Add($"{ByteText.Show(path)}: ought not to exist");
            }
            else if (!actual._entries.TryGetValue(path, out EntryFacts? found))
            {
                lines.Add($"{ByteText.Show(path)}: missing");
            }
            else
            {
                lines.AddRange(
                    from field in expected.Keys.Union(found.Keys).Except(except)
                    let want = expected.GetValueOrDefault(field, "(none)")
                    let have = found.GetValueOrDefault(field, "(none)")
                    where want != have && !(field == "btrfs.compression" && IsBareCompression(expected, found))
                    select $"{ByteText.Show(path)}: {field}: expected {ByteText.Show(want)}, found {ByteText.Show(have)}");
            }
        }

        return lines.Count <= MaxReported
            ? string.Join('\n', lines)
            : string.Join('\n', lines.Take(MaxReported)) + $"\n... and {lines.Count - MaxReported} more";
    }

    /// <summary>
    /// In a directory whose property "compression" the kernel has not read, it makes entries with the flag and without the
    /// property. Whoever sets the flag gets both.
    /// </summary>
    private static bool IsBareCompression(EntryFacts expected, EntryFacts found) =>
        !expected.ContainsKey("btrfs.compression") && expected[Flags].Contains('c') && found[Flags].Contains('c');

    /// <summary>Fails, with the differences, where <see cref="DifferencesOf"/> finds any.</summary>
    public void AssertEqual(TreeFacts actual, params string[] except)
    {
        string differences = DifferencesOf(actual, except);
        Assert.True(differences.Length == 0, differences);
    }

    private void ReadStatus(string root)
    {
        string[] fields = ["type", "mode", "uid", "gid", "nlink", "size", "blocks", AccessTime, "mtime", "target"];
        string listed = ByteText.FromBytes(Shell.CheckBytes(
            null, "find", root, "-printf", @"%P\0%y\0%m\0%U\0%G\0%n\0%s\0%b\0%A@\0%T@\0%l\0%D:%i\0"));
        string[] values = listed.Split('\0');
        List<(string Path, string Inode)> inodes = [];
        for (int at = 0; at + fields.Length + 1 < values.Length; at += fields.Length + 2)
        {
            EntryFacts entry = [];
            for (int i = 0; i < fields.Length; i++)
            {
                entry[fields[i]] = values[at + 1 + i];
            }

            // BTRFS_EMPTY_SUBVOL_DIR_OBJECTID, which no ioctl knows.
            entry.IsPlaceholder = values[at + 1 + fields.Length].EndsWith(":2", StringComparison.Ordinal);
            _entries.Add(values[at], entry);
            inodes.Add((values[at], values[at + 1 + fields.Length]));
        }

        foreach (IGrouping<string, string> names in inodes.GroupBy(e => e.Inode, e => e.Path).Where(g => g.Count() > 1))
        {
            string first = names.Order(StringComparer.Ordinal).First();
            foreach (string path in names)
            {
                _entries[path][HardLinks] = first;
            }
        }
    }

    private void ReadDevices(string root, string[] paths)
    {
        string[] numbers = Tool(root, paths, "stat", @"--printf=%t:%T\0").Split('\0');
        for (int i = 0; i < paths.Length; i++)
        {
            _entries[paths[i]]["device"] = numbers[i];
        }
    }

    /// <summary>All extended attributes; POSIX ACLs and file capabilities are among them.</summary>
    private void ReadXattrs(string root, string[] paths)
    {
        string listed = Tool(
            root, paths, "getfattr", "--dump", "--match=-", "--encoding=hex", "--no-dereference", "--absolute-names");
        EntryFacts? entry = null;
        foreach (string line in listed.Split('\n'))
        {
            if (line.StartsWith("# file: ", StringComparison.Ordinal))
            {
                string path = Unescape(line["# file: ".Length..]);
                entry = _entries[path.Length == root.Length ? "" : path[(root.Length + 1)..]];
            }
            else if (line.Length > 0)
            {
                int split = line.IndexOf('=', StringComparison.Ordinal);
                entry![split < 0 ? line : line[..split]] = split < 0 ? "" : line[(split + 1)..];
            }
        }
    }

    private void ReadFlags(string root, string[] paths)
    {
        Scanner output = new(Tool(root, paths, "lsattr", "-d"));
        foreach (string path in paths)
        {
            _entries[path][Flags] = output.Until(" ").Replace("-", "", StringComparison.Ordinal);
            output.Skip(Absolute(root, path) + "\n");
        }
    }

    private void ReadExtents(string root, string[] paths)
    {
        Scanner output = new(Tool(root, paths, "filefrag", "-v", "-b1"));
        foreach (string path in paths)
        {
            if (output.At("Filesystem type is: "))
            {
                output.Until("\n");
            }

            string name = Absolute(root, path);
            output.Skip($"File size of {name} is ");
            output.Until("\n");
            ExtentList extents = new(_entries[path]);
            while (!output.At(name + ": "))
            {
                extents.Add(output.Until("\n"));
            }

            output.Skip(name + ": ");
            output.Until("\n");
            extents.Store();
        }
    }

    /// <summary>Runs a tool over all the paths, in their order, as often as the command line's length asks for.</summary>
    private static string Tool(string root, string[] paths, params string[] command) => paths.Length == 0
        ? ""
        : ByteText.FromBytes(Shell.CheckBytes(
            ByteText.ToBytes(string.Concat(paths.Select(p => Absolute(root, p) + '\0'))), "xargs", ["-0", .. command]));

    private static string RelativeTo(string path, string name) => name.Length > path.Length ? name[(path.Length + 1)..] : "";

    private static string Absolute(string root, string path) => path.Length == 0 ? root : root + "/" + path;

    /// <summary>Undoes getfattr's <c>\ooo</c> escapes.</summary>
    private static string Unescape(string text)
    {
        StringBuilder plain = new();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                plain.Append((char)Convert.ToInt32(text.Substring(i + 1, 3), 8));
                i += 3;
            }
            else
            {
                plain.Append(text[i]);
            }
        }

        return plain.ToString();
    }
}
