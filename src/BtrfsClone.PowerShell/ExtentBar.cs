namespace BtrfsClone.PowerShell;

/// <summary>
/// How much of each class lies where in a file, in a fixed number of buckets. Their size doubles as the file turns out
/// to be longer, so that neither the file's length nor its extents have to be known before or kept.
/// </summary>
internal sealed class ExtentBar
{
    private const int Buckets = 8192;
    private static readonly int s_classes = Enum.GetValues<ExtentClass>().Length;

    private readonly long[,] _bytes = new long[Buckets, s_classes];
    private long _bucketSize = 1;
    private long _end;

    /// <summary>Where the last piece ends.</summary>
    public long End => _end;

    /// <summary>Takes the next piece, which has to lie after all before it. What is between two is a hole.</summary>
    public void Add(long offset, long length, ExtentClass kind)
    {
        if (offset > _end)
        {
            Fill(_end, offset, ExtentClass.Hole);
        }

        Fill(offset, offset + length, kind);
    }

    /// <summary>
    /// What each of a number of cells of equal length shows: the class that most of it is, and whether there is
    /// another in it that is not merely the border of a neighbour.
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

    /// <summary>Begins with another file.</summary>
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

        // The last bucket of the longest file ends beyond what a number holds.
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
