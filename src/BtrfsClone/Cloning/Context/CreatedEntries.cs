using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// The entries that an invocation has created and that no later item may replace, by inode number: the items, and entries created
/// in existing directories. For a directory that an item has created, only the directory itself is recorded. So memory grows with
/// the number of items and of entries that they create in existing directories, by some 30 bytes per entry, and not with new trees.
/// </summary>
/// <param name="isSingleItem">Nothing is recorded, since there is no other item.</param>
internal sealed class CreatedEntries(bool isSingleItem)
{
    // Inode numbers by the subvolume's device number.
    private readonly Dictionary<ulong, HashSet<ulong>> _inodes = [];

    /// <summary>Whether entries created in a directory have to be recorded.</summary>
    public bool AreRecordedIn(DirectoryPair directory) => directory.RecordsEntries && !isSingleItem;

    /// <summary>Records a new entry of a directory if necessary. It is on the directory's own device.</summary>
    public void Add(DirectoryPair directory, ulong inode)
    {
        if (AreRecordedIn(directory))
        {
            Add(directory.DestinationStatus.Device, inode);
        }
    }

    /// <summary>Records a new snapshot by its root.</summary>
    public void Add(in Statx status) => Add(status.Device, status.Inode);

    /// <summary>Whether an existing entry was recorded.</summary>
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
