namespace BtrfsClone.Measuring;

/// <summary>What the extents of one kind of compression hold, as compsize(8) counts. Lengths are bytes.</summary>
public sealed class CompressionUsage
{
    /// <summary>
    /// <c>None</c>, <c>Zlib</c>, <c>Lzo</c>, <c>Zstd</c>, or <c>Prealloc</c> for an extent of which the first piece that
    /// was met is preallocated; <c>Other</c> for a compression that is not known here.
    /// </summary>
    public string Type { get; internal init; } = "";

    /// <summary>Bytes of the files in such extents, inline data included, as often as they are referred to.</summary>
    public long Length { get; internal init; }

    /// <summary>Bytes of the extents before compression, each extent once and whole (ram_bytes).</summary>
    public long UncompressedLength { get; internal init; }

    /// <summary>Bytes that the extents take on disk, each once and whole (disk_num_bytes).</summary>
    public long DiskLength { get; internal init; }

    /// <summary>Distinct extents, without inline data.</summary>
    public long ExtentCount { get; internal init; }

    /// <inheritdoc cref="MeasureResult.CompressionRatio"/>
    public double? CompressionRatio => UncompressedLength == 0 ? null : (double)DiskLength / UncompressedLength;
}
