using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// What an invocation has made and no later item may replace, by inode numbers: the items, and what is put into directories
/// that had been there before. Of a directory that an item has made, the directory alone is known. So the memory grows with
/// the number of items and with what several items put into existing directories, by some 30 bytes for each entry, and not
/// with new trees.
/// </summary>
/// <param name="isSingleItem">Nothing is recorded, since no two items can meet.</param>
internal sealed class CreatedEntries(bool isSingleItem)
{
    // Inode numbers by the subvolume's device number.
    private readonly Dictionary<ulong, HashSet<ulong>> _inodes = [];

    /// <summary>Whether what is made in a directory has to be recorded.</summary>
    public bool AreRecordedIn(DirectoryPair directory) => directory.RecordsEntries && !isSingleItem;

    /// <summary>Records a new entry of a directory where that is to be done. It is on the directory's own device.</summary>
    public void Add(DirectoryPair directory, ulong inode)
    {
        if (AreRecordedIn(directory))
        {
            Add(directory.DestinationStatus.Device, inode);
        }
    }

    /// <summary>Records a new snapshot by its root.</summary>
    public void Add(in Statx status) => Add(status.Device, status.Inode);

    /// <summary>Whether an existing entry is one that was recorded.</summary>
    public bool Contains(in Statx status)
    {
        lock (_inodes)
        {
            return _inodes.TryGetValue(status.Device, out HashSet<ulong>? made) && made.Contains(status.Inode);
        }
    }

    private void Add(ulong device, ulong inode)
    {
        lock (_inodes)
        {
            if (!_inodes.TryGetValue(device, out HashSet<ulong>? made))
            {
                _inodes.Add(device, made = []);
            }

            made.Add(inode);
        }
    }
}
