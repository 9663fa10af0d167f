using System.Text;
using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>The directory entry of a subvolume in another one.</summary>
/// <param name="Parent">The other subvolume.</param>
/// <param name="Directory">The directory's inode.</param>
/// <param name="Name">The name, as Latin-1 text.</param>
internal readonly record struct SubvolumeEntry(ulong Parent, ulong Directory, string Name);

/// <summary>The subvolumes and snapshots of a filesystem, from the tree of trees. Requires CAP_SYS_ADMIN.</summary>
internal sealed class SubvolumeTable
{
    private readonly List<ulong> _subvolumes = [];
    private readonly Dictionary<ulong, SubvolumeEntry> _entries = [];

    private SubvolumeTable()
    {
    }

    /// <summary>The ids of all that are not being deleted, in ascending order.</summary>
    public IReadOnlyList<ulong> Subvolumes => _subvolumes;

    /// <summary>Reads the table.</summary>
    /// <param name="search">A search that was started with a file on the filesystem.</param>
    /// <exception cref="BtrfsException">The tree of trees cannot be read.</exception>
    public static SubvolumeTable Read(TreeSearch search)
    {
        var table = new SubvolumeTable();
        var from = new ItemKey(BtrfsKey.TopLevel, BtrfsKey.RootItem, 0);
        var to = new ItemKey(BtrfsKey.LastFree, BtrfsKey.RootBackReference, ulong.MaxValue);
        while (search.Find(BtrfsKey.RootTree, from, to, uint.MaxValue) > 0)
        {
            while (search.Next(out TreeSearchHeader header, out ReadOnlySpan<byte> item))
            {
                if (!TreeSearch.TryGoOn(header, ref from) || !table.TryTake(header, item))
                {
                    throw search.Malformed();
                }
            }
        }

        return table;
    }

    /// <summary>The directory entry of a subvolume; the top level has none, nor has a subvolume that is being deleted.</summary>
    public bool TryFindEntry(ulong subvolume, out SubvolumeEntry entry) => _entries.TryGetValue(subvolume, out entry);

    private bool TryTake(in TreeSearchHeader header, ReadOnlySpan<byte> item)
    {
        bool isSubvolume = header.ObjectId is BtrfsKey.TopLevel or (>= BtrfsKey.FirstFree and <= BtrfsKey.LastFree);
        if (isSubvolume && header.Type == BtrfsKey.RootItem)
        {
            if (!TreeItems.TryReadRootReferences(item, out uint references))
            {
                return false;
            }

            if (references > 0)
            {
                _subvolumes.Add(header.ObjectId);
            }
        }
        else if (isSubvolume && header.Type == BtrfsKey.RootBackReference)
        {
            if (!TreeItems.TryReadRootReference(item, out ulong directory, out ReadOnlySpan<byte> name))
            {
                return false;
            }

            _entries[header.ObjectId] = new SubvolumeEntry(header.Offset, directory, Encoding.Latin1.GetString(name));
        }

        return true;
    }
}
