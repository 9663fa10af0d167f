namespace BtrfsClone.Measuring;

/// <summary>Sets of item numbers, each stored once.</summary>
internal sealed class ItemSets : IItemSets
{
    public const int Empty = 0;

    private readonly List<int[]> _sets = [[]];
    private readonly Dictionary<string, int> _numbers = new() { [""] = Empty };
    private readonly Dictionary<int, int> _singles = [];
    private readonly Dictionary<(int, int), int> _unions = [];
    private readonly Dictionary<(int, int), int> _intersections = [];

    /// <summary>The items of a set, in ascending order.</summary>
    public ReadOnlySpan<int> this[int set] => _sets[set];

    /// <inheritdoc/>
    public int Of(int item)
    {
        if (!_singles.TryGetValue(item, out int set))
        {
            _singles.Add(item, set = Intern([item]));
        }

        return set;
    }

    /// <inheritdoc/>
    public int Union(int one, int other)
    {
        if (one == other || other == Empty)
        {
            return one;
        }

        if (!_unions.TryGetValue((one, other), out int set))
        {
            _unions.Add((one, other), set = Intern([.. _sets[one].Union(_sets[other]).Order()]));
        }

        return set;
    }

    /// <inheritdoc/>
    public int Intersect(int one, int other)
    {
        if (one == other)
        {
            return one;
        }

        if (!_intersections.TryGetValue((one, other), out int set))
        {
            _intersections.Add((one, other), set = Intern([.. _sets[one].Intersect(_sets[other]).Order()]));
        }

        return set;
    }

    private int Intern(int[] items)
    {
        string key = string.Join(' ', items);
        if (!_numbers.TryGetValue(key, out int set))
        {
            set = _sets.Count;
            _sets.Add(items);
            _numbers.Add(key, set);
        }

        return set;
    }
}
