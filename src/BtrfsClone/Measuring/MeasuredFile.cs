namespace BtrfsClone.Measuring;

/// <summary>A file of a directory that is to be counted.</summary>
internal unsafe struct MeasuredFile
{
    public ulong Inode;

    /// <summary>Its name in the directory; null for an item that is measured by itself.</summary>
    public byte* Name;

    /// <summary>Its entry in the ledger; null where there is none.</summary>
    public EntryUsage? Usage;

    /// <summary>Up to where it has been counted.</summary>
    public long Counted;
}
