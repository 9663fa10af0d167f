namespace BtrfsClone.Measuring;

/// <summary>For users that evaluate the references themselves, of more items than sets could be stored for: all sets are empty.</summary>
internal sealed class NoItemSets : IItemSets
{
    public int Of(int item) => ItemSets.Empty;

    public int Union(int one, int other) => ItemSets.Empty;

    public int Intersect(int one, int other) => ItemSets.Empty;
}
