namespace BtrfsClone.Reporting;

/// <summary>A report that was written. Lengths are bytes of what it is about, not of its file.</summary>
public sealed class ReportResult : ItemResult
{
    /// <summary>The file that holds it.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>Regular files that it is about; one with several names is counted once.</summary>
    public long Files { get; internal init; }

    /// <summary>Directories that it is about.</summary>
    public long Directories { get; internal init; }

    /// <inheritdoc cref="Measuring.MeasureResult.Length"/>
    public long Length { get; internal init; }

    /// <inheritdoc cref="Measuring.MeasureResult.DiskLength"/>
    public long DiskLength { get; internal init; }

    /// <summary>
    /// Bytes of data that the filesystem would get back if all directories of the report were deleted: what
    /// <see cref="Measuring.MeasureResult.SetReclaimableLength"/> is of them.
    /// </summary>
    public long ReclaimableLength { get; internal init; }

    /// <summary>What could not be read; each was reported on its own, and is told on the page.</summary>
    public long Failed { get; internal init; }
}
