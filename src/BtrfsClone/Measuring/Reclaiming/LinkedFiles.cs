using System.IO.Hashing;

namespace BtrfsClone.Measuring;

/// <summary>The items to which a file belongs.</summary>
/// <param name="Whole">The set of items that contain all of its names: deleting one of them deletes the file.</param>
/// <param name="Any">The set of items that contain a name of it.</param>
/// <param name="IsInAll">Whether all items together contain all of its names.</param>
internal readonly record struct Membership(int Whole, int Any, bool IsInAll);

/// <summary>The files with several names, and which of these were found in which item.</summary>
internal sealed class LinkedFiles(IItemSets sets)
{
    private readonly Dictionary<(ulong Subvolume, ulong Inode), HashSet<(int Item, ulong Name)>> _names = [];
    private readonly Dictionary<(ulong Subvolume, ulong Inode), int> _links = [];

    /// <summary>The items of each file's names.</summary>
    public IEnumerable<int[]> Items => _names.Values.Select(names => names.Select(name => name.Item).ToArray());

    /// <summary>A name's key: a hash of it and of its directory.</summary>
    public static ulong KeyOf(ulong directory, ReadOnlySpan<byte> name) =>
        XxHash64.HashToUInt64(name, unchecked((long)directory));

    /// <summary>Adds a name that was found.</summary>
    /// <param name="item">The item's number.</param>
    /// <param name="subvolume">The file's subvolume.</param>
    /// <param name="inode">The file.</param>
    /// <param name="key">The name's key.</param>
    /// <param name="links">The number of names of the file.</param>
    public void Add(int item, ulong subvolume, ulong inode, ulong key, int links)
    {
        if (!_names.TryGetValue((subvolume, inode), out HashSet<(int Item, ulong Name)>? names))
        {
            _names.Add((subvolume, inode), names = []);
        }

        names.Add((item, key));
        _links[(subvolume, inode)] = links;
    }

    /// <summary>Removes the names of an item.</summary>
    public void Remove(int item)
    {
        foreach (HashSet<(int Item, ulong Name)> names in _names.Values)
        {
            names.RemoveWhere(name => name.Item == item);
        }
    }

    /// <summary>The items to which a file with several names belongs.</summary>
    public Membership Of(ulong subvolume, ulong inode)
    {
        if (!_names.TryGetValue((subvolume, inode), out HashSet<(int Item, ulong Name)>? names))
        {
            return default;
        }

        int links = _links[(subvolume, inode)];
        int whole = ItemSets.Empty;
        int any = ItemSets.Empty;
        foreach (IGrouping<int, (int Item, ulong Name)> item in names.GroupBy(name => name.Item))
        {
            any = sets.Union(any, sets.Of(item.Key));
            whole = item.Count() == links ? sets.Union(whole, sets.Of(item.Key)) : whole;
        }

        return new Membership(whole, any, names.Select(name => name.Name).Distinct().Count() == links);
    }
}
