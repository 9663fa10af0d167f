namespace BtrfsClone.Finding;

/// <summary>Merges sorted parts while reading, using a heap of the parts' next items.</summary>
internal sealed unsafe class SortedReader<T> : IDisposable
    where T : unmanaged, IComparable<T>
{
    private const int BufferBytes = 64 << 10;

    private readonly Source[] _heap;
    private readonly T* _items;
    private readonly int _count;
    private int _next;
    private int _live;

    /// <param name="levels">Parts in files.</param>
    /// <param name="items">A sorted part in memory.</param>
    /// <param name="count">The number of items in memory.</param>
    public SortedReader(IReadOnlyList<SortedLevel> levels, T* items, int count)
    {
        _count = count;
        _items = items;
        int parts = levels.Sum(level => level.Parts.Count);
        _heap = new Source[parts == 0 ? 0 : parts + 1];
        foreach (SortedLevel level in levels)
        {
            foreach (SortedPart part in level.Parts)
            {
                Begin(new Source
                {
                    Level = level,
                    Position = part.Start,
                    End = part.Start + part.Count,
                    Buffer = new T[Math.Max(BufferBytes / sizeof(T), 1)],
                });
            }
        }

        if (parts > 0)
        {
            Begin(new Source());
        }

        for (int i = (_live / 2) - 1; i >= 0; i--)
        {
            Sift(i);
        }
    }

    public bool Next(out T item)
    {
        if (_heap.Length == 0)
        {
            bool any = _next < _count;
            item = any ? _items[_next++] : default;
            return any;
        }

        if (_live == 0)
        {
            item = default;
            return false;
        }

        Source least = _heap[0];
        item = least.Current;
        if (!Advance(least))
        {
            _heap[0] = _heap[--_live];
        }

        Sift(0);
        return true;
    }

    /// <summary>Releases the buffers.</summary>
    public void Dispose()
    {
        Array.Clear(_heap);
        (_live, _next) = (0, _count);
    }

    private void Begin(Source source)
    {
        if (Advance(source))
        {
            _heap[_live++] = source;
        }
    }

    private bool Advance(Source source)
    {
        if (source.Buffer is null)
        {
            bool any = _next < _count;
            source.Current = any ? _items[_next++] : default;
            return any;
        }

        if (source.Next == source.Filled)
        {
            source.Filled = (int)Math.Min(source.Buffer.Length, source.End - source.Position);
            source.Next = 0;
            if (source.Filled == 0)
            {
                return false;
            }

            source.Level!.Read(source.Buffer.AsSpan(0, source.Filled), source.Position);
            source.Position += source.Filled;
        }

        source.Current = source.Buffer[source.Next++];
        return true;
    }

    private void Sift(int parent)
    {
        if (parent >= _live)
        {
            return;
        }

        Source moved = _heap[parent];
        for (int child = (2 * parent) + 1; child < _live; child = (2 * parent) + 1)
        {
            if (child + 1 < _live && _heap[child + 1].Current.CompareTo(_heap[child].Current) < 0)
            {
                child++;
            }

            if (moved.Current.CompareTo(_heap[child].Current) <= 0)
            {
                break;
            }

            _heap[parent] = _heap[child];
            parent = child;
        }

        _heap[parent] = moved;
    }

    private sealed class Source
    {
        public T Current;
        public SortedLevel? Level;
        public T[]? Buffer;
        public int Next;
        public int Filled;
        public long Position;
        public long End;
    }
}
