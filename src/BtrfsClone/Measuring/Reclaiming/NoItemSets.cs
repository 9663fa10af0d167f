namespace BtrfsClone.Measuring;

/// <summary>For who looks at the references themselves, of more items than there could be sets of: all sets are empty.</summary>
internal sealed class NoItemSets : IItemSets
{
    public int Of(int item) => ItemSets.Empty;

    public int Union(int one, int other) => ItemSets.Empty;

    public int Intersect(int one, int other) => ItemSets.Empty;
}
