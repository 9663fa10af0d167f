using System.Text.Json.Serialization;

namespace BtrfsClone.Finding;

/// <summary>What the duplicates of a group are.</summary>
public enum DuplicateKind
{
    /// <summary>Whole files.</summary>
    File,

    /// <summary>Ranges of whole blocks, at any offset of any file.</summary>
    Range,
}

/// <summary>Data that is stored more than once. Lengths are bytes.</summary>
/// <param name="kind">What the duplicates are.</param>
/// <param name="length">The length of the data.</param>
/// <param name="count">The number of copies.</param>
/// <param name="reclaimableLength">The bytes that merging frees.</param>
/// <param name="places">Where the data is stored.</param>
public sealed class BtrfsDuplicate(
    string kind, long length, int count, long reclaimableLength, IReadOnlyList<DuplicatePlace> places)
{
    /// <summary>The length of the data.</summary>
    public long Length { get; } = length;

    /// <summary>
    /// The number of copies. Places that already share their extents, or will once the group of the whole files is merged, are one
    /// copy.
    /// </summary>
    public int Count { get; } = count;

    /// <summary>
    /// The bytes that are freed when all groups are merged, as far as this group contributes. An extent is freed as a whole, with
    /// its compressed size, when no part of it is referenced any more; if its parts belong to several groups, its size is divided
    /// among them. 0 for a group that only moves parts of extents. If btrfs's trees may not be read, this is the maximum.
    /// </summary>
    public long ReclaimableLength { get; } = reclaimableLength;

    /// <summary>The name of a <see cref="DuplicateKind"/>, as text, so that JSON, CSV and remoting preserve it.</summary>
    public string Kind { get; } = kind;

    /// <summary>
    /// Where the data is stored: first the place that keeps its extents, then all that will share them. If two places share one
    /// copy, both are listed, since the copy is freed only when both are merged.
    /// </summary>
    public IReadOnlyList<DuplicatePlace> Places { get; } = places;

    /// <summary>The paths of <see cref="Places"/>, under the name by which parameters for literal paths bind from the pipeline.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> PSPath => [.. Places.Select(place => place.Path)];
}
