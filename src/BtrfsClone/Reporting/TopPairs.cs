namespace BtrfsClone.Reporting;

/// <summary>
/// What the top directories of a report share with each other, and with files outside the report: the given directories, or, if
/// there is only one, its entries.
/// </summary>
internal sealed class TopPairs
{
    /// <summary>The number of directories that are distinguished, the largest ones; all others count as one.</summary>
    public const int Limit = 40;

    private readonly Dictionary<(int Set, int Top), int> _sets = [];
    private readonly List<(int Before, int Top)> _members = [(0, 0)];
    private readonly List<long> _lengths = [0];
    private readonly List<int> _found = [];
    private readonly bool[] _isFound;

    /// <summary>Starts with an arranged tree, and assigns each node to its top directory.</summary>
    public TopPairs(ReportTree tree)
    {
        ReportNode above = tree.Root.FirstChild is { NextSibling: null } only ? only : tree.Root;
        List<ReportNode> directories = [];
        for (ReportNode? child = above.FirstChild; child is not null; child = child.NextSibling)
        {
            if (child.IsDirectory && !child.IsFolded)
            {
                directories.Add(child);
            }
        }

        long[] sizes = Sizes(tree);
        directories = [.. directories.OrderByDescending(node => sizes[node.Order]).ThenBy(node => node.Order)];
        Tops = [.. directories.Take(Limit), above];
        HasRest = directories.Count > Limit;
        Elsewhere = Tops.Count + 1;
        _isFound = new bool[Elsewhere + 1];
        Mark(tree, above);
    }

    /// <summary>The directories; the last one is their parent, for its own files.</summary>
    public IReadOnlyList<ReportNode> Tops { get; }

    /// <summary>Whether there are directories that count as one, whose number is that of <see cref="Tops"/>.</summary>
    public bool HasRest { get; }

    /// <summary>The number of everything outside the report.</summary>
    public int Elsewhere { get; }

    /// <summary>Counts an extent.</summary>
    /// <param name="holders">The files that hold it.</param>
    /// <param name="isHeldElsewhere">Whether it is also held outside the report.</param>
    /// <param name="length">Its size in bytes.</param>
    public void Add(List<ReportNode> holders, bool isHeldElsewhere, long length)
    {
        if (holders.Count == 1 && !isHeldElsewhere)
        {
            return;
        }

        _found.Clear();
        foreach (ReportNode holder in holders)
        {
            if (!_isFound[holder.Top])
            {
                _isFound[holder.Top] = true;
                _found.Add(holder.Top);
            }
        }

        if (isHeldElsewhere)
        {
            _found.Add(Elsewhere);
        }

        _found.Sort();
        int set = 0;
        foreach (int top in _found)
        {
            _isFound[top] = false;
            set = With(set, top);
        }

        _lengths[set] += length;
    }

    /// <summary>Pairs of directories, and the size of the extents that both hold; the largest first.</summary>
    public IEnumerable<(int One, int Other, long Length)> Pairs()
    {
        var lengths = new long[Elsewhere + 1, Elsewhere + 1];
        for (int set = 1; set < _lengths.Count; set++)
        {
            for (int one = set; _lengths[set] > 0 && one != 0; one = _members[one].Before)
            {
                for (int other = _members[one].Before; other != 0; other = _members[other].Before)
                {
                    lengths[_members[other].Top, _members[one].Top] += _lengths[set];
                }
            }
        }

        return Enumerable.Range(0, Elsewhere)
            .SelectMany(one => Enumerable.Range(one + 1, Elsewhere - one).Select(other => (one, other, lengths[one, other])))
            .Where(pair => pair.Item3 > 0)
            .OrderByDescending(pair => pair.Item3);
    }

    /// <summary>The set that contains one more top directory than another.</summary>
    private int With(int set, int top)
    {
        if (!_sets.TryGetValue((set, top), out int number))
        {
            _sets.Add((set, top), number = _members.Count);
            _members.Add((set, top));
            _lengths.Add(0);
        }

        return number;
    }

    private void Mark(ReportTree tree, ReportNode above)
    {
        Dictionary<ReportNode, int> numbers = Tops.Select((top, number) => (top, number)).ToDictionary(x => x.top, x => x.number);
        foreach (ReportNode node in tree.Ordered)
        {
            node.Top = numbers.TryGetValue(node, out int number) ? number
                : node.Parent != above ? node.Parent?.Top ?? 0
                : node.IsDirectory && !node.IsFolded ? Tops.Count
                : Tops.Count - 1;
        }
    }

    private static long[] Sizes(ReportTree tree)
    {
        var sizes = new long[tree.Ordered.Count];
        for (int i = sizes.Length - 1; i > 0; i--)
        {
            sizes[i] += tree.Ordered[i].Length;
            sizes[tree.Ordered[i].Parent!.Order] += sizes[i];
        }

        return sizes;
    }
}
