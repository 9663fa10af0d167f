namespace BtrfsClone.Measuring;

/// <summary>What would be freed, in bytes of extents.</summary>
internal sealed class ReclaimTotals(ItemSets sets) : IExtentTotals
{
    private readonly Dictionary<int, long> _alone = [];
    private readonly Dictionary<int, long> _together = [];

    /// <summary>By deleting all items together.</summary>
    public long Set { get; private set; }

    /// <summary>By deleting one item alone.</summary>
    public long Of(int item) => _alone.GetValueOrDefault(item);

    /// <summary>What is freed only by deleting several items together, by the set of items that hold it.</summary>
    public IEnumerable<(int Items, long Length)> Together => _together.Select(one => (one.Key, one.Value));

    /// <inheritdoc/>
    public void Add(ReadOnlySpan<ReclaimReference> references, in Membership owners)
    {
        if (!owners.IsInAll)
        {
            return;
        }

        long length = references[0].DiskLength;
        Set += length;
        foreach (int item in sets[owners.Whole])
        {
            _alone[item] = Of(item) + length;
        }

        if (owners.Whole == ItemSets.Empty)
        {
            _together[owners.Any] = _together.GetValueOrDefault(owners.Any) + length;
        }
    }
}
