namespace BtrfsClone.Measuring;

/// <summary>
/// What a file, or all files below a directory, take on disk. Lengths are bytes, and null is unknown: without
/// CAP_SYS_ADMIN the kernel tells where data lies and whether it is shared (FIEMAP), but not the extents as such.
/// </summary>
/// <remarks>
/// A file with several names is counted once. What has not been written out yet has no place on disk and is not counted.
/// </remarks>
public sealed class MeasureResult : ItemResult
{
    /// <summary>The item.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>Regular files that were measured.</summary>
    public long Files { get; internal init; }

    /// <summary>
    /// Bytes of the files that lie in data extents, in whole blocks and with preallocated space: what
    /// <c>btrfs filesystem du</c> calls Total. <see cref="InlineLength"/> is not part of it.
    /// </summary>
    public long Length { get; internal init; }

    /// <summary>Bytes of the files that are stored in the metadata; null where the trees may not be read.</summary>
    public long? InlineLength { get; internal init; }

    /// <summary>
    /// Bytes on disk: each extent once and whole, compressed as it may be (disk_num_bytes), and inline data. An extent
    /// of which only a part is still used takes its room whole.
    /// </summary>
    public long? DiskLength { get; internal init; }

    /// <summary>The same before compression (ram_bytes).</summary>
    public long? UncompressedLength { get; internal init; }

    /// <summary>The part of <see cref="Length"/> that nothing else uses: FIEMAP_EXTENT_SHARED is not set.</summary>
    public long ExclusiveLength { get; internal init; }

    /// <summary>
    /// The part of <see cref="Length"/> that another file, another place or a snapshot uses too, inside the item or
    /// outside of it.
    /// </summary>
    public long SharedLength { get; internal init; }

    /// <summary>
    /// Shared bytes, each place on disk once however many files of the directory use it: what
    /// <c>btrfs filesystem du</c> calls Set shared, with its way to count a compressed piece, from the start of its
    /// extent on and as long as it is uncompressed. Of a file it is <see cref="SharedLength"/>.
    /// </summary>
    public long SetSharedLength { get; internal init; }

    /// <summary>Distinct extents, without inline data.</summary>
    public long? ExtentCount { get; internal init; }

    /// <summary>
    /// <see cref="DiskLength"/> divided by <see cref="UncompressedLength"/>: 0.25 is data that takes a quarter of its
    /// room. Null where there is no data, too.
    /// </summary>
    public double? CompressionRatio => UncompressedLength is null or 0 ? null : (double?)DiskLength / UncompressedLength;

    /// <summary>The same for each kind of compression of which there is any.</summary>
    public IReadOnlyList<CompressionUsage>? ByCompression { get; internal init; }

    /// <summary>
    /// Bytes of data that the filesystem would get back if this item alone were deleted: all extents to which nothing else refers,
    /// whole, as <c>btrfs filesystem usage</c> counts used data. Null unless <see cref="MeasureSession.Reclaim"/> has told it.
    /// </summary>
    public long? ReclaimableLength { get; internal set; }

    /// <summary>The same if all items of the session were deleted together; the same number in each. Null unless told.</summary>
    public long? SetReclaimableLength { get; internal set; }

    /// <summary>
    /// What would come free with certain other items together only, the largest first. Where items overlap, fewer of them may
    /// be enough. Null unless told in detail.
    /// </summary>
    public IReadOnlyList<ReclaimableGroup>? ReclaimableTogether { get; internal set; }

    /// <summary>What could not be measured; each was reported on its own.</summary>
    public long Failed { get; internal init; }
}
