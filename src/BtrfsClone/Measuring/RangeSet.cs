namespace BtrfsClone.Measuring;

/// <summary>The union of ranges of bytes. Ranges take 16 bytes each, and those that touch are merged when space runs out.</summary>
/// <param name="most">
/// The maximum number of ranges that do not touch; about as many more are an <see cref="InsufficientMemoryException"/>.
/// </param>
internal sealed class RangeSet(int most = int.MaxValue)
{
    private const int FirstSize = 1 << 6;

    private (long Start, long End)[] _ranges = new (long, long)[FirstSize];
    private int _count;

    public void Add(long start, long length)
    {
        if (_count == _ranges.Length)
        {
            Join();
            if (_count > most)
            {
                throw new InsufficientMemoryException();
            }

            if (_count > _ranges.Length / 2)
            {
                Array.Resize(ref _ranges, _ranges.Length * 2);
            }
        }

        _ranges[_count++] = (start, start + length);
    }

    /// <summary>The total number of bytes in the union.</summary>
    public long Sum()
    {
        Join();
        long sum = 0;
        foreach ((long start, long end) in _ranges.AsSpan(0, _count))
        {
            sum += end - start;
        }

        return sum;
    }

    public void Clear()
    {
        _ranges = new (long, long)[FirstSize];
        _count = 0;
    }

    private void Join()
    {
        Span<(long Start, long End)> ranges = _ranges.AsSpan(0, _count);
        ranges.Sort(static (a, b) => a.Start.CompareTo(b.Start));
        _count = 0;
        foreach ((long start, long end) in ranges)
        {
            if (_count > 0 && start <= ranges[_count - 1].End)
            {
                ref (long Start, long End) last = ref ranges[_count - 1];
                last.End = Math.Max(last.End, end);
            }
            else
            {
                ranges[_count++] = (start, end);
            }
        }
    }
}
