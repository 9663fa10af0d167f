namespace BtrfsClone.Measuring;

/// <summary>Sets of item numbers. Each set has a number itself: 0 is the empty one.</summary>
internal interface IItemSets
{
    /// <summary>The set of one item.</summary>
    int Of(int item);

    /// <summary>The union of two sets.</summary>
    int Union(int one, int other);

    /// <summary>The intersection of two sets.</summary>
    int Intersect(int one, int other);
}
