namespace BtrfsClone.Finding;

/// <summary>Sorts a part that fits in memory.</summary>
internal delegate void SortPart<T>(Span<T> items);

/// <summary>
/// Sorts any number of items: what does not fit in memory is written to a temporary file in sorted parts, which are merged when
/// they are read. Not safe for concurrent use.
/// </summary>
/// <param name="memory">The memory limit that the items share with other tables.</param>
/// <param name="sort">Sorts a part; by default, by the items' comparison.</param>
internal sealed unsafe class Sorter<T>(WorkingMemory memory, SortPart<T>? sort = null) : IDisposable
    where T : unmanaged, IComparable<T>
{
    private const int FirstBytes = 64 << 10;

    // Each part that is read needs a buffer: this many parts of one size are merged into one.
    private const int MostParts = 128;

    private readonly List<SortedLevel> _levels = [];
    private void* _items;
    private long _bytes;
    private int _count;
    private bool _isSorted = true;

    /// <summary>The number of items.</summary>
    public long Count { get; private set; }

    public void Add(in T item)
    {
        if ((_count + 1L) * sizeof(T) > _bytes && !Reserve())
        {
            Spill();
        }

        ((T*)_items)[_count++] = item;
        Count++;
        _isSorted = false;
    }

    /// <summary>Reads all items in order, any number of times; no items can be added in between.</summary>
    public SortedReader<T> Read()
    {
        SortRest();
        return new SortedReader<T>(_levels, (T*)_items, _count);
    }

    public void Dispose()
    {
        memory.Free(ref _items, ref _bytes);
        _levels.ForEach(level => level.Dispose());
        _levels.Clear();
        (_count, Count) = (0, 0);
    }

    private bool Reserve()
    {
        long most = int.MaxValue / sizeof(T) * (long)sizeof(T);
        long wanted = Math.Min(Math.Max(FirstBytes, _bytes * 2), most);
        return wanted > _bytes && memory.TryGrow(ref _items, ref _bytes, wanted);
    }

    private void SortRest()
    {
        if (!_isSorted)
        {
            var items = new Span<T>(_items, _count);
            if (sort is null)
            {
                items.Sort();
            }
            else
            {
                sort(items);
            }

            _isSorted = true;
        }
    }

    private void Spill()
    {
        SortRest();
        Level(0).Add(new ReadOnlySpan<T>(_items, _count));
        _count = 0;
        for (int level = 0; _levels[level].Parts.Count == MostParts; level++)
        {
            Merge(_levels[level], Level(level + 1));
        }
    }

    private SortedLevel Level(int number)
    {
        if (number == _levels.Count)
        {
            _levels.Add(new SortedLevel(memory.Folder));
        }

        return _levels[number];
    }

    private static void Merge(SortedLevel level, SortedLevel next)
    {
        const int Step = 1 << 14;
        T[] items = new T[Step];
        using (var reader = new SortedReader<T>([level], null, 0))
        {
            next.Begin();
            for (int count = Step; count == Step; next.Append<T>(items.AsSpan(0, count)))
            {
                for (count = 0; count < Step && reader.Next(out items[count]); count++)
                {
                }
            }
        }

        level.Clear();
    }
}
