namespace BtrfsClone.Extents;

/// <summary>What is read of a file, and from where.</summary>
public sealed record ExtentReaderOptions
{
    /// <summary>
    /// The first byte of the range to read; not negative. An extent that reaches into the range is given whole, a hole
    /// only as far as the range goes.
    /// </summary>
    public long Offset { get; init; }

    /// <summary>The length of the range in bytes, at least 1; null is to the end of the file and beyond.</summary>
    public long? Length { get; init; }

    /// <summary>Gives holes too, up to the end of the file.</summary>
    public bool IncludeHole { get; init; }

    /// <summary>Where to read from.</summary>
    public ExtentSource Source { get; init; }

    /// <summary>The end of the range.</summary>
    internal long End => Length is long length && length <= long.MaxValue - Offset ? Offset + length : long.MaxValue;
}
