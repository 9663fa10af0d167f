namespace BtrfsClone.Extents;

/// <summary>
/// One piece of a file as a value, for reading many of them. Offsets and lengths are bytes; null is unknown, or that
/// there is no such thing. The names are those of struct btrfs_file_extent_item (linux/btrfs_tree.h).
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

    /// <summary>Where in the file the piece begins.</summary>
    public long Offset { get; private init; }

    /// <summary>
    /// Bytes of the file in the piece (num_bytes). The last one of a file may reach to the end of the file's last
    /// block, and preallocated ones lie beyond it.
    /// </summary>
    public long Length { get; private init; }

    /// <summary>How the piece is stored.</summary>
    public ExtentKind Kind { get; private init; }

    /// <summary>How the piece is compressed; null where FIEMAP says no more than that it is, and for holes and delalloc.</summary>
    public ExtentCompression? Compression { get; internal init; }

    /// <summary>
    /// Whether another file, another place in this one, or a snapshot uses the same extent on disk (FIEMAP's
    /// FIEMAP_EXTENT_SHARED). Pieces of one extent that still lie where it was written do not make it shared.
    /// Null for a hole.
    /// </summary>
    public bool? IsShared { get; internal init; }

    /// <summary>Where the extent begins in the filesystem's logical address space (disk_bytenr).</summary>
    public long? DiskOffset => Known(RawDiskOffset);

    /// <summary>
    /// Bytes that the whole extent takes there, compressed as it may be (disk_num_bytes); for inline data, the bytes
    /// in the metadata.
    /// </summary>
    public long? DiskLength => Known(RawDiskLength);

    /// <summary>Where inside the extent, uncompressed, this piece begins (offset).</summary>
    public long? ExtentOffset => Known(RawExtentOffset);

    /// <summary>Bytes of the whole extent, uncompressed (ram_bytes).</summary>
    public long? RamLength => Known(RawRamLength);

    /// <summary>
    /// References to the extent (refs of struct btrfs_extent_item), this piece's included, as the extent tree has
    /// them: what the running transaction has made is not yet counted. Metadata that a snapshot shares counts once.
    /// </summary>
    public long? ReferenceCount => Known(RawReferenceCount);

    /// <summary>The transaction that wrote the extent (generation).</summary>
    public long? Generation => Known(RawGeneration);

    /// <summary>
    /// FIEMAP's fe_physical. On btrfs, where the piece begins in the logical address space; if it is compressed, where
    /// its extent does. Null for inline data, holes and delalloc.
    /// </summary>
    public long? PhysicalOffset => Known(RawPhysicalOffset);

    /// <summary>The first byte of the file after the piece.</summary>
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

    /// <summary>A piece of an extent on disk; whether it is shared is told later.</summary>
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

    /// <summary>A piece as FIEMAP gives it.</summary>
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

    /// <summary>The part of the piece from one place in the file to another.</summary>
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
