namespace BtrfsClone.Reporting;

/// <summary>A report that was written. Lengths are bytes of what it is about, not of its file.</summary>
public sealed record ReportResult
{
    /// <summary>The file that holds it.</summary>
    public required string Path { get; init; }

    /// <summary>Regular files that it is about; one with several names is counted once.</summary>
    public required long Files { get; init; }

    /// <summary>Directories that it is about.</summary>
    public required long Directories { get; init; }

    /// <inheritdoc cref="Measuring.MeasureResult.Length"/>
    public required long Length { get; init; }

    /// <inheritdoc cref="Measuring.MeasureResult.DiskLength"/>
    public required long DiskLength { get; init; }

    /// <summary>
    /// Bytes of data that the filesystem would get back if all directories of the report were deleted: what
    /// <see cref="Measuring.MeasureResult.SetReclaimableLength"/> is of them.
    /// </summary>
    public required long ReclaimableLength { get; init; }

    /// <summary>What could not be read; each was reported on its own, and is told on the page.</summary>
    public required long Failed { get; init; }
}
