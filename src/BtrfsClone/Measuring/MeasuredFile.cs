namespace BtrfsClone.Measuring;

/// <summary>A file of a directory that is to be counted.</summary>
internal unsafe struct MeasuredFile
{
    public ulong Inode;

    /// <summary>Its name in the directory; null for a single item.</summary>
    public byte* Name;

    /// <summary>Its entry in the ledger; null if there is none.</summary>
    public EntryUsage? Usage;

    /// <summary>The offset up to which it was counted.</summary>
    public long Counted;
}
