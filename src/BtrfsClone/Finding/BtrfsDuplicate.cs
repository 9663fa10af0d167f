using System.Text.Json.Serialization;

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
/// <param name="kind">What kind of places they are.</param>
/// <param name="length">How long the data is.</param>
/// <param name="count">How often it is stored.</param>
/// <param name="reclaimableLength">What the filesystem gets back.</param>
/// <param name="places">Where it is.</param>
public sealed class BtrfsDuplicate(
    string kind, long length, int count, long reclaimableLength, IReadOnlyList<DuplicatePlace> places)
{
    /// <summary>How long the data is.</summary>
    public long Length { get; } = length;

    /// <summary>
    /// How often it is stored. What shares its extents already, or will as soon as the group of the whole files is merged,
    /// is stored once.
    /// </summary>
    public int Count { get; } = count;

    /// <summary>
    /// What the filesystem gets back when all groups are merged, as far as it is due to this one. An extent comes free as a
    /// whole, when nothing refers to any part of it any more, and compressed as it may be; one whose parts belong to
    /// several groups is shared out among them. 0 for a group that moves parts of extents alone. Where btrfs's trees may
    /// not be read, it is what comes free at most.
    /// </summary>
    public long ReclaimableLength { get; } = reclaimableLength;

    /// <summary>The name of a <see cref="DuplicateKind"/>, as text, which JSON, CSV and remoting keep.</summary>
    public string Kind { get; } = kind;

    /// <summary>
    /// Where it is: first the place that keeps its extents, then all that are to share them. Two places of one copy are
    /// both there, as only together they let it go.
    /// </summary>
    public IReadOnlyList<DuplicatePlace> Places { get; } = places;

    /// <summary>The paths of <see cref="Places"/>, as parameters call them that take literal paths from a pipeline.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> PSPath => [.. Places.Select(place => place.Path)];
}
