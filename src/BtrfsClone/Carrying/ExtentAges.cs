using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>
/// Whether an address on the source's disk still belongs to the same extent as at the start of the run: since then that extent may
/// have been freed, or moved by a balance, and the address reused. This is determined from the extent tree, whose items contain the
/// transaction that created them: space freed in a transaction is only reused after its end.
/// </summary>
internal sealed class ExtentAges
{
    private readonly TreeSearch _search = new();
    private CarrySource _source = null!;
    private bool _isFileOld;
    private long _last;
    private bool _isOld;

    /// <summary>Starts a file.</summary>
    /// <param name="source">Its filesystem.</param>
    /// <param name="file">The file.</param>
    /// <param name="map">Its map.</param>
    /// <param name="isNoCow">Whether it may be written in place, once it is no longer shared.</param>
    public void Start(CarrySource source, Descriptor file, SourceMap map, bool isNoCow)
    {
        _source = source;
        _isFileOld = source.StartFor(file, isNoCow) is not { } start || map.IsOlderThan(start);
        _search.Start(file, "");
        _last = 0;
    }

    /// <summary>Whether an extent of the file is as old as the run. False if this cannot be determined.</summary>
    public bool IsOld(in FileExtent extent)
    {
        if (!_isFileOld || _source.StartGeneration == 0)
        {
            return _isFileOld;
        }

        long place = extent.RawDiskOffset;
        if (place > 0 && place != _last)
        {
            (_last, _isOld) = (place, LookUp((ulong)place, _source.StartGeneration));
        }

        return place > 0 && _isOld;
    }

    private bool LookUp(ulong place, ulong start)
    {
        CallResult found = _search.TryFind(
            BtrfsKey.ExtentTree,
            new ItemKey(place, BtrfsKey.ExtentItem, 0),
            new ItemKey(place, BtrfsKey.ExtentItem, ulong.MaxValue),
            count: 1);
        return found.Value > 0 && _search.Next(out TreeSearchHeader header, out ReadOnlySpan<byte> item) &&
            header.ObjectId == place && header.Type == BtrfsKey.ExtentItem &&
            TreeItems.TryReadExtentGeneration(item, out ulong generation) && generation <= start;
    }
}
