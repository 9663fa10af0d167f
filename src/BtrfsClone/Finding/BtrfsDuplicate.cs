namespace BtrfsClone.Finding;

/// <summary>What kind of places hold the same data.</summary>
public enum DuplicateKind
{
    /// <summary>Whole files.</summary>
    File,

    /// <summary>Ranges of whole blocks, at any offset of any file.</summary>
    Range,
}

/// <summary>Data that is stored more than once. Lengths are bytes.</summary>
public sealed record BtrfsDuplicate
{
    /// <summary>How long the data is.</summary>
    public required long Length { get; init; }

    /// <summary>
    /// How often it is stored. What shares its extents already, or will as soon as the group of the whole files is merged,
    /// is stored once.
    /// </summary>
    public required int Count { get; init; }

    /// <summary>
    /// What the filesystem gets back when all groups are merged, as far as it is due to this one. An extent comes free as a
    /// whole, when nothing refers to any part of it any more, and compressed as it may be; one whose parts belong to
    /// several groups is shared out among them. 0 for a group that moves parts of extents alone. Where btrfs's trees may
    /// not be read, it is what comes free at most.
    /// </summary>
    public required long ReclaimableLength { get; init; }

    /// <summary>Whether these are whole files.</summary>
    public required DuplicateKind Kind { get; init; }

    /// <summary>
    /// Where it is: first the place that keeps its extents, then all that are to share them. Two places of one copy are
    /// both there, as only together they let it go.
    /// </summary>
    public required IReadOnlyList<DuplicatePlace> Places { get; init; }
}
