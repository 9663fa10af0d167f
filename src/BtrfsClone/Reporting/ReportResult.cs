namespace BtrfsClone.Reporting;

/// <summary>A report that was written. Lengths are bytes of the reported files, not of the page.</summary>
public sealed class ReportResult : ItemResult
{
    /// <summary>The file that contains the report.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>The number of regular files in the report; one with several names is counted once.</summary>
    public long Files { get; internal init; }

    /// <summary>The number of directories in the report.</summary>
    public long Directories { get; internal init; }

    /// <inheritdoc cref="Measuring.MeasureResult.Length"/>
    public long Length { get; internal init; }

    /// <inheritdoc cref="Measuring.MeasureResult.DiskLength"/>
    public long DiskLength { get; internal init; }

    /// <summary>
    /// Bytes of data that would be freed if all directories of the report were deleted: their
    /// <see cref="Measuring.MeasureResult.SetReclaimableLength"/>.
    /// </summary>
    public long ReclaimableLength { get; internal init; }

    /// <summary>Entries that could not be read; each was reported individually, and is mentioned on the page.</summary>
    public long Failed { get; internal init; }
}
