namespace BtrfsClone.PowerShell;

/// <summary>
/// The distribution of each class over a file, in a fixed number of buckets. Their size doubles as the file turns out to be longer,
/// so neither the file's length has to be known in advance, nor its extents stored.
/// </summary>
internal sealed class ExtentBar
{
    private const int Buckets = 8192;
    private static readonly int s_classes = Enum.GetValues<ExtentClass>().Length;

    private readonly long[,] _bytes = new long[Buckets, s_classes];
    private long _bucketSize = 1;
    private long _end;

    /// <summary>The end of the last file extent.</summary>
    public long End => _end;

    /// <summary>Adds the next file extent, which must be after all previous ones. A gap is a hole.</summary>
    public void Add(long offset, long length, ExtentClass kind)
    {
        if (offset > _end)
        {
            Fill(_end, offset, ExtentClass.Hole);
        }

        Fill(offset, offset + length, kind);
    }

    /// <summary>
    /// What each of a number of cells of equal length shows: its most frequent class, and whether it contains another one that is
    /// not merely the border of a neighbour.
    /// </summary>
    public (ExtentClass Most, bool Several)[] Cells(int count)
    {
        var cells = new (ExtentClass Most, bool Several)[count];
        var sums = new long[count, s_classes];
        long used = _end > 0 ? ((_end - 1) / _bucketSize) + 1 : 1;
        for (int cell = 0; cell < count; cell++)
        {
            long from = cell * used / count;
            long to = Math.Max((cell + 1) * used / count, from + 1);
            for (long bucket = from; bucket < to; bucket++)
            {
                for (int kind = 0; kind < s_classes; kind++)
                {
                    sums[cell, kind] += _bytes[bucket, kind];
                }
            }

            int most = 0;
            for (int kind = 1; kind < s_classes; kind++)
            {
                most = sums[cell, kind] > sums[cell, most] ? kind : most;
            }

            cells[cell].Most = (ExtentClass)most;
        }

        for (int cell = 0; cell < count; cell++)
        {
            for (int kind = 0; kind < s_classes; kind++)
            {
                bool isBorder = (cell > 0 && cells[cell - 1].Most == (ExtentClass)kind) ||
                    (cell + 1 < count && cells[cell + 1].Most == (ExtentClass)kind);
                cells[cell].Several |= sums[cell, kind] > 0 && kind != (int)cells[cell].Most && !isBorder;
            }
        }

        return cells;
    }

    /// <summary>Resets it for another file.</summary>
    public void Clear()
    {
        Array.Clear(_bytes);
        _bucketSize = 1;
        _end = 0;
    }

    private void Fill(long from, long to, ExtentClass kind)
    {
        while ((to - 1) / _bucketSize >= Buckets)
        {
            Halve();
        }

        // The last bucket of the longest file ends beyond the range of the type.
        for (long position = from; position < to;)
        {
            long count = Math.Min(_bucketSize - (position % _bucketSize), to - position);
            _bytes[position / _bucketSize, (int)kind] += count;
            position += count;
        }

        _end = Math.Max(_end, to);
    }

    private void Halve()
    {
        _bucketSize *= 2;
        for (int bucket = 0; bucket < Buckets; bucket++)
        {
            for (int kind = 0; kind < s_classes; kind++)
            {
                _bytes[bucket, kind] = bucket < Buckets / 2
                    ? _bytes[2 * bucket, kind] + _bytes[(2 * bucket) + 1, kind]
                    : 0;
            }
        }
    }
}
