namespace BtrfsClone.Measuring;

/// <summary>The data in extents of one type of compression, counted as by compsize(8). Lengths are in bytes.</summary>
public sealed class CompressionUsage
{
    /// <summary>
    /// <c>None</c>, <c>Zlib</c>, <c>Lzo</c>, <c>Zstd</c>, or <c>Prealloc</c> for an extent whose first file extent found is
    /// preallocated; <c>Other</c> for an unknown compression.
    /// </summary>
    public string Type { get; internal init; } = "";

    /// <summary>Bytes of the files in such extents, including inline data, counted once per reference.</summary>
    public long Length { get; internal init; }

    /// <summary>The uncompressed size of the extents, each extent counted once and whole (ram_bytes).</summary>
    public long UncompressedLength { get; internal init; }

    /// <summary>The size of the extents on disk, each counted once and whole (disk_num_bytes).</summary>
    public long DiskLength { get; internal init; }

    /// <summary>The number of distinct extents, without inline data.</summary>
    public long ExtentCount { get; internal init; }

    /// <inheritdoc cref="MeasureResult.CompressionRatio"/>
    public double? CompressionRatio => UncompressedLength == 0 ? null : (double)DiskLength / UncompressedLength;
}
