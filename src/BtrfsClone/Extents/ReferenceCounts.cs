using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>Reads from the extent tree how many references extents have, in the order of where they lie.</summary>
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

    /// <param name="descriptor">Any file of the filesystem.</param>
    /// <param name="path">What to call it in errors.</param>
    public ReferenceCounts(Descriptor descriptor, string path) => _search.Start(descriptor, path);

    /// <summary>The references of the extent that begins at an address; 0 where none does.</summary>
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

    /// <summary>Takes an item. That of an extent is the first one of its address.</summary>
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

        // What lies in between is brought as well: as many at once as are likely to be wanted.
        _itemsAtOnce = _used * 8L >= _itemsAtOnce ? Math.Min(_itemsAtOnce * 4, ManyItems) : Math.Max(_itemsAtOnce / 4, FewItems);
        _used = 0;
        ItemKey extent = new(wanted, BtrfsKey.ExtentItem, 0);
        _next = _next.CompareTo(extent) > 0 ? _next : extent;
        _isAtEnd = _search.Find(
            BtrfsKey.ExtentTree, _next, new ItemKey(ulong.MaxValue, BtrfsKey.ExtentItem, ulong.MaxValue), _itemsAtOnce) == 0;
        return !_isAtEnd;
    }
}
