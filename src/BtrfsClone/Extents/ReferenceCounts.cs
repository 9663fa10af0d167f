using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>Reads reference counts of extents from the extent tree, in the order of addresses.</summary>
internal sealed class ReferenceCounts
{
    private const uint FewItems = 16;
    private const uint ManyItems = 4096;

    private readonly TreeSearch _search = new();
    private uint _itemsAtOnce = ManyItems;
    private ItemKey _next;
    private ulong _disk;
    private ulong _references;
    private bool _isAtEnd;
    private int _used;

    /// <param name="descriptor">Any file on the filesystem.</param>
    /// <param name="path">The path to use in error messages.</param>
    public ReferenceCounts(Descriptor descriptor, string path) => _search.Start(descriptor, path);

    /// <summary>The reference count of the extent that starts at an address; 0 if there is none.</summary>
    public ulong Of(long disk)
    {
        ulong wanted = (ulong)disk;
        while (_disk < wanted)
        {
            if (_search.Next(out TreeSearchHeader header, out ReadOnlySpan<byte> item))
            {
                Take(header, item);
            }
            else if (!Find(wanted))
            {
                return 0;
            }
        }

        _used++;
        return _disk == wanted ? _references : 0;
    }

    /// <summary>Reads an item. The item of an extent is the first one with its address.</summary>
    private void Take(in TreeSearchHeader header, ReadOnlySpan<byte> item)
    {
        (_disk, _references) = (header.ObjectId, 0);
        if (!TreeSearch.TryGoOn(header, ref _next) ||
            (header.Type == BtrfsKey.ExtentItem && !TreeItems.TryReadReferenceCount(item, out _references)))
        {
            throw _search.Malformed();
        }
    }

    private bool Find(ulong wanted)
    {
        if (_isAtEnd)
        {
            return false;
        }

        // Items in between are also returned: the number of items per call is adjusted to how many are likely to be needed.
        _itemsAtOnce = _used * 8L >= _itemsAtOnce ? Math.Min(_itemsAtOnce * 4, ManyItems) : Math.Max(_itemsAtOnce / 4, FewItems);
        _used = 0;
        ItemKey extent = new(wanted, BtrfsKey.ExtentItem, 0);
        _next = _next.CompareTo(extent) > 0 ? _next : extent;
        _isAtEnd = _search.Find(
            BtrfsKey.ExtentTree, _next, new ItemKey(ulong.MaxValue, BtrfsKey.ExtentItem, ulong.MaxValue), _itemsAtOnce) == 0;
        return !_isAtEnd;
    }
}
