namespace BtrfsClone.Extents;

/// <summary>What to read from a file, and from which source.</summary>
public sealed record ExtentReaderOptions
{
    /// <summary>
    /// The first byte of the range to read; not negative. An extent that overlaps the range is returned whole, a hole is clipped to
    /// the range.
    /// </summary>
    public long Offset { get; init; }

    /// <summary>The length of the range in bytes, at least 1; null extends it to the end of the file and beyond.</summary>
    public long? Length { get; init; }

    /// <summary>Also return holes, up to the end of the file.</summary>
    public bool IncludeHole { get; init; }

    /// <summary>The source of extent information.</summary>
    public ExtentSource Source { get; init; }

    /// <summary>The end of the range.</summary>
    internal long End => Length is long length && length <= long.MaxValue - Offset ? Offset + length : long.MaxValue;
}
