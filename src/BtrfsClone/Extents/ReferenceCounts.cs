using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>Reads from the extent tree how many references extents have, in the order of where they lie.</summary>
internal sealed class ReferenceCounts
{
    private const uint FewItems = 16;
    private const uint ManyItems = 4096;

    private readonly TreeSearch _search = new();
    private uint _itemsAtOnce = ManyItems;
    private ulong _disk;
    private ulong _references;
    private ulong _next;
    private int _found = 1;
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
            if (!_search.Next(out TreeSearchHeader header, out ReadOnlySpan<byte> item))
            {
                if (!Find(wanted))
                {
                    return 0;
                }
            }
            else if (header.Type == BtrfsKey.ExtentItem)
            {
                if (!TreeItems.TryReadReferenceCount(item, out _references))
                {
                    throw _search.Malformed();
                }

                _disk = header.ObjectId;
            }
        }

        _used++;
        return _disk == wanted ? _references : 0;
    }

    private bool Find(ulong wanted)
    {
        if (_found == 0 && _next > wanted)
        {
            return false;
        }

        // What lies in between is brought as well: as many at once as are likely to be wanted.
        _itemsAtOnce = _used * 8L >= _itemsAtOnce ? Math.Min(_itemsAtOnce * 4, ManyItems) : Math.Max(_itemsAtOnce / 4, FewItems);
        _used = 0;
        _found = _search.Find(
            BtrfsKey.ExtentTree,
            new ItemKey(wanted, BtrfsKey.ExtentItem, 0),
            new ItemKey(ulong.MaxValue, BtrfsKey.ExtentItem, ulong.MaxValue),
            _itemsAtOnce);
        _next = _found == 0 ? ulong.MaxValue : wanted;
        return _found > 0;
    }
}
