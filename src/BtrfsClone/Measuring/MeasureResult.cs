namespace BtrfsClone.Measuring;

/// <summary>
/// The disk usage of a file, or of all files below a directory. Lengths are in bytes; null means unknown: without CAP_SYS_ADMIN the
/// kernel reports where data is stored and whether it is shared (FIEMAP), but not the individual extents.
/// </summary>
/// <remarks>
/// A file with several names is counted once. Data that has not been written to disk yet has no address and is not counted.
/// </remarks>
public sealed class MeasureResult : ItemResult
{
    /// <summary>The item.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>The number of regular files that were measured.</summary>
    public long Files { get; internal init; }

    /// <summary>
    /// Bytes of the files in data extents, in whole blocks and including preallocated space: what <c>btrfs filesystem du</c> calls
    /// Total. <see cref="InlineLength"/> is not included.
    /// </summary>
    public long Length { get; internal init; }

    /// <summary>Bytes of the files that are stored in the metadata; null if the trees may not be read.</summary>
    public long? InlineLength { get; internal init; }

    /// <summary>
    /// Bytes on disk: each extent once and whole, with its compressed size (disk_num_bytes), and inline data. An extent of which
    /// only a part is still used is counted whole.
    /// </summary>
    public long? DiskLength { get; internal init; }

    /// <summary>The same before compression (ram_bytes).</summary>
    public long? UncompressedLength { get; internal init; }

    /// <summary>The part of <see cref="Length"/> that nothing else uses: FIEMAP_EXTENT_SHARED is not set.</summary>
    public long ExclusiveLength { get; internal init; }

    /// <summary>
    /// The part of <see cref="Length"/> that another file, another offset or a snapshot also uses, inside or outside the item.
    /// </summary>
    public long SharedLength { get; internal init; }

    /// <summary>
    /// Shared bytes, each disk address once regardless of how many files of the directory use it: what <c>btrfs filesystem du</c>
    /// calls Set shared, including the way it counts a compressed file extent, from the start of its extent and with its
    /// uncompressed length. For a file it equals <see cref="SharedLength"/>.
    /// </summary>
    public long SetSharedLength { get; internal init; }

    /// <summary>The number of distinct extents, without inline data.</summary>
    public long? ExtentCount { get; internal init; }

    /// <summary>
    /// <see cref="DiskLength"/> divided by <see cref="UncompressedLength"/>: 0.25 means that data takes a quarter of its size. Also
    /// null if there is no data.
    /// </summary>
    public double? CompressionRatio => UncompressedLength is null or 0 ? null : (double?)DiskLength / UncompressedLength;

    /// <summary>The same for each type of compression that occurs.</summary>
    public IReadOnlyList<CompressionUsage>? ByCompression { get; internal init; }

    /// <summary>
    /// Bytes of data that would be freed if only this item were deleted: all extents that nothing else references, counted whole,
    /// as <c>btrfs filesystem usage</c> counts used data. Null unless <see cref="MeasureSession.Reclaim"/> has computed it.
    /// </summary>
    public long? ReclaimableLength { get; internal set; }

    /// <summary>The same if all items of the session were deleted together; equal for all items. Null unless computed.</summary>
    public long? SetReclaimableLength { get; internal set; }

    /// <summary>
    /// What would be freed only together with certain other items, the largest first. If items overlap, fewer of them may be
    /// sufficient. Null unless details were requested.
    /// </summary>
    public IReadOnlyList<ReclaimableGroup>? ReclaimableTogether { get; internal set; }

    /// <summary>Entries that could not be measured; each was reported individually.</summary>
    public long Failed { get; internal init; }
}
