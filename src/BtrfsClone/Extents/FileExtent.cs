namespace BtrfsClone.Extents;

/// <summary>
/// One file extent as a value, for reading many of them. Offsets and lengths are in bytes; null means unknown or not applicable.
/// The names are those of struct btrfs_file_extent_item (linux/btrfs_tree.h).
/// </summary>
public readonly struct FileExtent
{
    private const long Unknown = -1;

    private static readonly FileExtent s_unknown = new()
    {
        RawDiskOffset = Unknown,
        RawDiskLength = Unknown,
        RawExtentOffset = Unknown,
        RawRamLength = Unknown,
        RawReferenceCount = Unknown,
        RawGeneration = Unknown,
        RawPhysicalOffset = Unknown,
    };

    /// <summary>The offset in the file.</summary>
    public long Offset { get; private init; }

    /// <summary>
    /// The number of bytes of the file (num_bytes). The last file extent may extend to the end of the file's last block, and
    /// preallocated ones may be beyond it.
    /// </summary>
    public long Length { get; private init; }

    /// <summary>How the file extent is stored.</summary>
    public ExtentKind Kind { get; private init; }

    /// <summary>How the file extent is compressed; null if FIEMAP only reports that it is, and for holes and delalloc.</summary>
    public ExtentCompression? Compression { get; internal init; }

    /// <summary>
    /// Whether another file, another offset of this file, or a snapshot uses the same extent on disk (FIEMAP_EXTENT_SHARED).
    /// Several file extents that are still at the positions where the extent was written do not make it shared. Null for a hole.
    /// </summary>
    public bool? IsShared { get; internal init; }

    /// <summary>The start of the extent in the filesystem's logical address space (disk_bytenr).</summary>
    public long? DiskOffset => Known(RawDiskOffset);

    /// <summary>
    /// The size of the whole extent on disk, after compression (disk_num_bytes); for inline data, the size in the metadata.
    /// </summary>
    public long? DiskLength => Known(RawDiskLength);

    /// <summary>The offset of this file extent in the uncompressed extent (offset).</summary>
    public long? ExtentOffset => Known(RawExtentOffset);

    /// <summary>The uncompressed size of the whole extent (ram_bytes).</summary>
    public long? RamLength => Known(RawRamLength);

    /// <summary>
    /// References to the extent (refs of struct btrfs_extent_item), including this file extent's, as recorded in the extent tree:
    /// references added by the running transaction are not counted yet. Metadata shared by a snapshot counts once.
    /// </summary>
    public long? ReferenceCount => Known(RawReferenceCount);

    /// <summary>The transaction that wrote the extent (generation).</summary>
    public long? Generation => Known(RawGeneration);

    /// <summary>
    /// FIEMAP's fe_physical. On btrfs, the start of the file extent in the logical address space, or if it is compressed, the start
    /// of its extent. Null for inline data, holes and delalloc.
    /// </summary>
    public long? PhysicalOffset => Known(RawPhysicalOffset);

    /// <summary>The first byte of the file after the file extent.</summary>
    public long End => Offset + Length;

    internal long RawDiskOffset { get; private init; }

    internal long RawDiskLength { get; private init; }

    internal long RawExtentOffset { get; private init; }

    internal long RawRamLength { get; private init; }

    internal long RawReferenceCount { get; init; }

    internal long RawGeneration { get; private init; }

    internal long RawPhysicalOffset { get; private init; }

    internal static FileExtent Hole(long offset, long length) =>
        s_unknown with { Offset = offset, Length = length, Kind = ExtentKind.Hole };

    internal static FileExtent Delalloc(long offset, long length) =>
        s_unknown with { Offset = offset, Length = length, Kind = ExtentKind.Delalloc, IsShared = false };

    internal static FileExtent Inline(
        long offset, long ramLength, long storedLength, ExtentCompression? compression, long generation) =>
        s_unknown with
        {
            Offset = offset,
            Length = ramLength,
            Kind = ExtentKind.Inline,
            Compression = compression,
            IsShared = false,
            RawDiskLength = storedLength,
            RawRamLength = ramLength,
            RawGeneration = generation,
        };

    /// <summary>A file extent on disk; whether it is shared is set later.</summary>
    internal static FileExtent OnDisk(
        long offset, long length, ExtentKind kind, long diskOffset, long diskLength, long extentOffset, long ramLength,
        ExtentCompression? compression, long generation) =>
        s_unknown with
        {
            Offset = offset,
            Length = length,
            Kind = kind,
            Compression = compression,
            RawDiskOffset = diskOffset,
            RawDiskLength = diskLength,
            RawExtentOffset = extentOffset,
            RawRamLength = ramLength,
            RawGeneration = generation,
            RawPhysicalOffset = compression == ExtentCompression.None ? diskOffset + extentOffset : diskOffset,
        };

    /// <summary>A file extent as reported by FIEMAP.</summary>
    internal static FileExtent Mapped(
        long offset, long length, ExtentKind kind, long? physicalOffset, ExtentCompression? compression, bool shared) =>
        s_unknown with
        {
            Offset = offset,
            Length = length,
            Kind = kind,
            Compression = compression,
            IsShared = shared,
            RawPhysicalOffset = physicalOffset ?? Unknown,
        };

    /// <summary>The part of the file extent between two file offsets.</summary>
    internal FileExtent Part(long from, long to)
    {
        long skipped = from - Offset;
        bool movesOnDisk = Compression == ExtentCompression.None && RawPhysicalOffset != Unknown;
        return this with
        {
            Offset = from,
            Length = to - from,
            RawExtentOffset = RawExtentOffset == Unknown ? Unknown : RawExtentOffset + skipped,
            RawPhysicalOffset = movesOnDisk ? RawPhysicalOffset + skipped : RawPhysicalOffset,
        };
    }

    private static long? Known(long raw) => raw == Unknown ? null : raw;
}
