using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>Counts the metadata that an invocation's clones have lost. Can be used on any thread.</summary>
/// <param name="counters">Also counts it; or null.</param>
/// <param name="cause">Why it is lost, see <see cref="MetadataLoss"/>; null if filesystems are the cause.</param>
internal sealed class MetadataLosses(CloneCounters? counters, string? cause = null)
{
    private const int MostNames = 8;

    private readonly Dictionary<MetadataKind, Kind> _kinds = [];

    public IReadOnlyList<MetadataLoss> All
    {
        get
        {
            lock (_kinds)
            {
                return [.. _kinds.OrderBy(k => k.Key).Select(
                    k => new MetadataLoss(k.Key, k.Value.Count, [.. k.Value.Names], k.Value.AreAllNamed, k.Value.ChangesAccess)
                    {
                        Cause = cause,
                    })];
            }
        }
    }

    public void Add(MetadataKind kind, string name, bool changesAccess = false)
    {
        lock (_kinds)
        {
            if (!_kinds.TryGetValue(kind, out Kind? known))
            {
                _kinds.Add(kind, known = new Kind());
            }

            known.Count++;
            known.ChangesAccess |= changesAccess;
            if (!known.Names.Contains(name))
            {
                known.Add(name);
            }
        }

        counters?.AddLostMetadata();
    }

    /// <summary>An entry has lost an xattr; its kind is determined by its name.</summary>
    public void AddXattr(ReadOnlySpan<byte> name, bool changesAccess = false)
    {
        MetadataKind kind = name.StartsWith("system."u8) ? MetadataKind.AccessControlList
            : name.StartsWith("btrfs."u8) ? MetadataKind.InodeFlag
            : MetadataKind.ExtendedAttribute;
        Add(kind, PathText.Printable(Utf8Z.ToText(name)), changesAccess);
    }

    /// <summary>An entry has lost inode flags; each is counted.</summary>
    public void AddFlags(InodeFlags flags)
    {
        foreach ((InodeFlags flag, string name) in (ReadOnlySpan<(InodeFlags, string)>)
        [
            // The names in linux/fs.h, FS_..._FL.
            (InodeFlags.Compress, "COMPR"), (InodeFlags.NoCompress, "NOCOMP"), (InodeFlags.NoCow, "NOCOW"),
            (InodeFlags.Sync, "SYNC"), (InodeFlags.DirectorySync, "DIRSYNC"), (InodeFlags.Immutable, "IMMUTABLE"),
            (InodeFlags.AppendOnly, "APPEND"), (InodeFlags.NoDump, "NODUMP"), (InodeFlags.NoAccessTime, "NOATIME"),
        ])
        {
            if (flags.HasFlag(flag))
            {
                Add(MetadataKind.InodeFlag, name);
            }
        }
    }

    private sealed class Kind
    {
        public long Count { get; set; }

        public List<string> Names { get; } = [];

        public bool AreAllNamed { get; private set; } = true;

        public bool ChangesAccess { get; set; }

        public void Add(string name)
        {
            AreAllNamed = Names.Count < MostNames;
            if (AreAllNamed)
            {
                Names.Add(name);
            }
        }
    }
}
