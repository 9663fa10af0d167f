namespace BtrfsClone.Measuring;

/// <summary>Records the usage of each file and directory of a walk; called on any thread.</summary>
internal interface IUsageLedger
{
    /// <summary>Adds an entry.</summary>
    /// <param name="parent">Its directory; null for an item.</param>
    /// <param name="name">Its name, or the item's path.</param>
    /// <param name="isDirectory">Whether it is a directory.</param>
    EntryUsage Add(EntryUsage? parent, ReadOnlySpan<byte> name, bool isDirectory);
}
