namespace BtrfsClone.Finding;

/// <summary>Reads the slots of all files that are not going to share another one's extents as a whole, and finds equal blocks.</summary>
/// <param name="tables">The results of the scan.</param>
/// <param name="dropped">Files to skip.</param>
/// <param name="window">The number of consecutive blocks that have to be equal: 1, or 2 if keys are derived from too few bytes.</param>
/// <param name="pump">Called from time to time; it may throw to end the work.</param>
internal sealed class SeedScan(SearchTables tables, FileMarks dropped, int window, Action<long> pump) : IDisposable
{
    private const int Step = 1 << 16;

    private readonly Sorter<Seed> _seeds = new(tables.Memory, SeedSort.Sort);
    private readonly SpillList<ScannedExtent> _scanned = new(tables.Memory);
    private readonly ulong[] _keys = new ulong[Step + 1];
    private readonly ListReader<ExtentEntry> _extents = new(tables.Extents);
    private long _extent = -1;
    private ExtentEntry _entry;
    private int _extentSeeds;
    private long _extentBlocks;
    private long _visibleEnd;

    // The current run of one repeated key.
    private ulong _key;
    private long _runStart;
    private long _runEnd;

    /// <summary>Links each block to the block of equal content that is kept.</summary>
    public void Run(Sorter<Link> links)
    {
        var pieces = new ListReader<SlotPiece>(tables.Pieces);
        while (pieces.Next(out SlotPiece piece))
        {
            if (!dropped[piece.File] && piece.End > _visibleEnd)
            {
                long start = Math.Max(piece.Slot, _visibleEnd);
                Blank(_visibleEnd, start);
                Enter(piece.Extent);
                Scan(start, piece.End);
                _visibleEnd = piece.End;
            }
        }

        EndExtent();
        Blank(_visibleEnd, tables.Keys.Count);
        using var repeated = new Sorter<RepeatedSeed>(tables.Memory);
        new RepeatedSeeds(repeated).Run(_seeds, pump);
        _seeds.Dispose();
        using var ranked = new Sorter<Seed>(tables.Memory, SeedSort.Sort);
        RepeatedSeeds.Rank(repeated, _scanned, ranked);
        repeated.Dispose();
        Connect(ranked, links);
    }

    public void Dispose()
    {
        _seeds.Dispose();
        _scanned.Dispose();
    }

    /// <summary>Clears slots that only dropped files have.</summary>
    private void Blank(long start, long end)
    {
        if (dropped.Count == 0)
        {
            return;
        }

        for (; start < end; start += Step)
        {
            Span<ulong> keys = _keys.AsSpan(0, (int)Math.Min(Step, end - start));
            keys.Clear(); // IBlockKeys.Unknown
            tables.Keys.Write(start, keys);
        }
    }

    private void Enter(int extent)
    {
        if (extent != _extent)
        {
            EndExtent();
            for (; _extent < extent; _extent++)
            {
                _extents.Next(out _entry);
            }
        }
    }

    private void EndExtent()
    {
        EndRun();
        if (_extentSeeds > 0)
        {
            _scanned.Add(new ScannedExtent(_runEnd, _extentSeeds, BlockOrder.RankOf(_entry, _extentBlocks)));
        }

        (_extentSeeds, _extentBlocks) = (0, 0);
    }

    private void Scan(long start, long end)
    {
        _extentBlocks += end - start;
        for (; start < end; start += Step)
        {
            int count = (int)Math.Min(Step, end - start);

            // Includes the key after them, which a window extends to; an empty slot follows the last one.
            tables.Keys.Read(start, _keys.AsSpan(0, count + 1));
            for (int i = 0; i < count; i++)
            {
                Take(start + i, window == 1 ? _keys[i] : Key.OfPair(_keys[i], _keys[i + 1]));
            }

            pump(count);
        }
    }

    private void Take(long slot, ulong key)
    {
        if (key != _key || slot != _runEnd)
        {
            EndRun();
            (_key, _runStart) = (key, slot);
        }

        _runEnd = slot + 1;
    }

    private void EndRun()
    {
        if (_key != IBlockKeys.Unknown)
        {
            _seeds.Add(new Seed(_key, BlockOrder.Of(_runStart, _runEnd - _runStart)));
            _extentSeeds++;
        }

        _key = IBlockKeys.Unknown;
    }

    private static void Connect(Sorter<Seed> ranked, Sorter<Link> links)
    {
        using SortedReader<Seed> sorted = ranked.Read();
        Seed kept = default;
        for (bool isFirst = true; sorted.Next(out Seed seed); isFirst = false)
        {
            if (isFirst || seed.Key != kept.Key)
            {
                kept = seed;
            }
            else
            {
                links.Add(new Link(seed.Order, kept.Order));
            }
        }
    }
}
