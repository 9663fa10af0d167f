namespace BtrfsClone.Measuring;

/// <summary>Takes the extents of the items, one after the other.</summary>
internal interface IExtentTotals
{
    /// <summary>Counts an extent.</summary>
    /// <param name="references">The items' references to it, sorted by owner.</param>
    /// <param name="owners">To which items all of those belong that refer to it; to none where others do, too.</param>
    void Add(ReadOnlySpan<ReclaimReference> references, in Membership owners);
}
