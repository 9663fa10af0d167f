namespace BtrfsClone.Measuring;

/// <summary>
/// The usage of one name of a file, or of a directory, if these are recorded individually. Lengths are in bytes. Written by one
/// worker at a time.
/// </summary>
/// <param name="number">Its number in the ledger.</param>
internal class EntryUsage(int number)
{
    /// <summary>Its number in the ledger.</summary>
    public int Number => number;

    /// <summary>1 once the file is counted; for a file with several names only one of them has it.</summary>
    public long Files { get; set; }

    /// <inheritdoc cref="MeasureResult.Length"/>
    public long Length { get; set; }

    /// <inheritdoc cref="MeasureResult.SharedLength"/>
    public long SharedLength { get; set; }

    /// <summary>The size on disk of inline data in the metadata.</summary>
    public long InlineDiskLength { get; set; }
}
