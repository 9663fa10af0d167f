using BtrfsClone.Cloning;

namespace BtrfsClone.Finding;

/// <summary>How equal data is detected.</summary>
public enum DuplicateSource
{
    /// <summary>Checksums if they may be read, and content where there are none.</summary>
    Auto,

    /// <summary>
    /// Only btrfs's checksum tree: no data is read. Data without checksums (NOCOW, nodatasum) is ignored, and compressed extents
    /// are compared in compressed form: the same data compressed differently does not match. Requires CAP_SYS_ADMIN.
    /// </summary>
    Checksum,

    /// <summary>All data is read and hashed.</summary>
    Content,
}

/// <summary>Options of a search.</summary>
public sealed record FindOptions
{
    /// <summary>The minimum length of duplicate data in bytes. A range always has at least one block.</summary>
    public long MinimumLength { get; init; } = 1;

    /// <summary>Compare whole files only.</summary>
    public bool FileOnly { get; init; }

    /// <summary>How equal data is detected.</summary>
    public DuplicateSource Source { get; init; }

    /// <summary>Which entries below the given items are included; null includes all.</summary>
    public EntryFilter? Filter { get; init; }
}
