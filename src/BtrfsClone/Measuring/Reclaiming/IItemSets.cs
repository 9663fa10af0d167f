namespace BtrfsClone.Measuring;

/// <summary>Sets of item numbers. Each has a number itself: 0 is the empty one.</summary>
internal interface IItemSets
{
    /// <summary>The set of one item.</summary>
    int Of(int item);

    /// <summary>What is in either set.</summary>
    int Union(int one, int other);

    /// <summary>What is in both sets.</summary>
    int Intersect(int one, int other);
}
