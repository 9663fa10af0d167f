namespace BtrfsClone.Measuring;

/// <summary>
/// What is known of one name of a file, or of a directory, where each is kept by itself. Lengths are bytes. One worker at a time
/// writes to it.
/// </summary>
/// <param name="number">Its number in the ledger.</param>
internal class EntryUsage(int number)
{
    /// <summary>Its number in the ledger.</summary>
    public int Number => number;

    /// <summary>1 once the file is counted; of a file with several names one of them has it.</summary>
    public long Files { get; set; }

    /// <inheritdoc cref="MeasureResult.Length"/>
    public long Length { get; set; }

    /// <inheritdoc cref="MeasureResult.SharedLength"/>
    public long SharedLength { get; set; }

    /// <summary>Bytes that are stored in the metadata, as they are there.</summary>
    public long InlineDiskLength { get; set; }
}
