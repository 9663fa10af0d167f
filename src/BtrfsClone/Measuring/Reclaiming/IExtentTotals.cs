namespace BtrfsClone.Measuring;

/// <summary>Receives the extents of the items, one after the other.</summary>
internal interface IExtentTotals
{
    /// <summary>Counts an extent.</summary>
    /// <param name="references">The items' references to it, sorted by owner.</param>
    /// <param name="owners">The items to which all of its references belong; none if there are references from elsewhere.</param>
    void Add(ReadOnlySpan<ReclaimReference> references, in Membership owners);
}
