using BtrfsClone.Cloning;

namespace BtrfsClone.Finding;

/// <summary>What says whether data is the same.</summary>
public enum DuplicateSource
{
    /// <summary>Checksums where they may be read, and content where there are none.</summary>
    Auto,

    /// <summary>
    /// btrfs's checksum tree alone: no data is read. Data without checksums (NOCOW, nodatasum) is not looked at, and
    /// compressed extents only as they are: the same data compressed in another way is other data. Needs CAP_SYS_ADMIN.
    /// </summary>
    Checksum,

    /// <summary>Everything is read and hashed.</summary>
    Content,
}

/// <summary>What is looked for.</summary>
public sealed record FindOptions
{
    /// <summary>Bytes that data has at least. A range has at least one block in any case.</summary>
    public long MinimumLength { get; init; } = 1;

    /// <summary>Only whole files are compared.</summary>
    public bool FileOnly { get; init; }

    /// <summary>What says whether data is the same.</summary>
    public DuplicateSource Source { get; init; }

    /// <summary>Which entries below the given items are taken; all of them without a filter.</summary>
    public EntryFilter? Filter { get; init; }
}
