using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Faults.Sweep;

/// <summary>What is below a folder: every field of each entry, and the digests of contents.</summary>
internal sealed class SweepState
{
    /// <summary>The commands that it needs.</summary>
    public const string Tools = TreeFacts.Tools + " sha256sum";

    /// <summary>Facts that tell how entries belong together, whole only where all of a tree is there.</summary>
    private static readonly string[] s_common = ["nlink", TreeFacts.HardLinks, TreeFacts.Extents, TreeFacts.BeyondEnd, "blocks"];

    private readonly SortedDictionary<string, EntryFacts> _entries;

    private SweepState(SortedDictionary<string, EntryFacts> entries) => _entries = entries;

    public IEnumerable<string> Paths => _entries.Keys;

    /// <summary>Looks at a folder. Paths are relative to it; the folder itself is left out.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="extents">Whether places on disk count. Nothing may be dirty then.</param>
    public static SweepState Of(string folder, bool extents)
    {
        TreeFacts facts = TreeFacts.OfWritten(folder);
        SortedDictionary<string, EntryFacts> entries = new(StringComparer.Ordinal);

        // What a snapshot has in the place of a subvolume (BTRFS_EMPTY_SUBVOL_DIR_OBJECTID): nothing of it is there yet.
        string[] places = Shell.Check("find", folder, "-type", "d", "-inum", "2", "-printf", "%P\\n").Split('\n');
        foreach ((string path, EntryFacts entry) in facts.Entries.Where(e => e.Key.Length > 0 && !places.Contains(e.Key)))
        {
            entries.Add(path, entry);
            entry.Remove(TreeFacts.AccessTime);
            if (!extents)
            {
                entry.Remove(TreeFacts.Extents);
                entry.Remove("blocks");
            }

            if (entry["type"] == "d")
            {
                entry.Remove("size");
                entry.Remove("nlink");
            }
        }

        foreach (string line in Shell.Check(
            "sh", "-c", "cd \"$1\" && find . -type f -print0 | xargs -0 -r sha256sum", "sh", folder)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            entries[line[68..]]["content"] = line[..64];
        }

        return new SweepState(entries);
    }

    /// <summary>Leaves out the facts that another state of these paths does not have, or has otherwise.</summary>
    public SweepState Common(SweepState other)
    {
        foreach ((string path, EntryFacts entry) in _entries)
        {
            EntryFacts theirs = other._entries[path];
            foreach (string fact in entry.Keys.Where(f => theirs.GetValueOrDefault(f) != entry[f]).ToArray())
            {
                entry.Remove(fact);
            }
        }

        return this;
    }

    /// <summary>Leaves out the facts of entries that another state does not have of those.</summary>
    public SweepState Known(SweepState other)
    {
        foreach ((string path, EntryFacts entry) in _entries.Where(e => other.Has(e.Key)))
        {
            foreach (string fact in entry.Keys.Except(other._entries[path].Keys).ToArray())
            {
                entry.Remove(fact);
            }
        }

        return this;
    }

    /// <summary>All names that a path's inode has here.</summary>
    public IEnumerable<string> NamesOf(string path) => _entries[path].TryGetValue(TreeFacts.HardLinks, out string? first)
        ? _entries.Where(e => e.Value.GetValueOrDefault(TreeFacts.HardLinks) == first).Select(e => e.Key)
        : [path];

    public bool Has(string path) => _entries.ContainsKey(path);

    /// <summary>Whether an entry of another state has the facts that this one's has for itself.</summary>
    public bool HasSame(string path, SweepState other) => Difference(path, other, s_common) is null;

    /// <summary>The first difference of another state, or null where it is the same in every fact.</summary>
    public string? Difference(SweepState other) =>
        Paths.Union(other.Paths).Select(path => Difference(path, other, [])).FirstOrDefault(d => d is not null);

    private string? Difference(string path, SweepState other, string[] except)
    {
        EntryFacts? mine = _entries.GetValueOrDefault(path);
        EntryFacts? theirs = other._entries.GetValueOrDefault(path);
        if (mine is null || theirs is null)
        {
            return $"{path} is {(mine is null ? "there" : "missing")}";
        }

        string? fact = mine.Keys.Except(except).FirstOrDefault(f => mine[f] != theirs.GetValueOrDefault(f));
        return fact is null ? null : $"{path}: {fact} is '{theirs.GetValueOrDefault(fact)}' and not '{mine[fact]}'";
    }
}
