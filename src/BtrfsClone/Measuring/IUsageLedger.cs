namespace BtrfsClone.Measuring;

/// <summary>Keeps what each file and directory of a walk uses; called on any thread.</summary>
internal interface IUsageLedger
{
    /// <summary>Adds an entry.</summary>
    /// <param name="parent">Its directory; null for an item that is measured.</param>
    /// <param name="name">Its name, or the item's path.</param>
    /// <param name="isDirectory">Whether it is a directory.</param>
    EntryUsage Add(EntryUsage? parent, ReadOnlySpan<byte> name, bool isDirectory);
}
