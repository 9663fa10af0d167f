namespace BtrfsClone.Finding;

/// <summary>What a scan has found out about an extent.</summary>
/// <param name="End">The slot after its last one.</param>
/// <param name="Seeds">The number of its seeds.</param>
/// <param name="Rank">Its <see cref="BlockOrder.RankOf"/>.</param>
internal readonly record struct ScannedExtent(long End, int Seeds, uint Rank);

/// <summary>A seed whose key occurs more than once, with two of the others. Sorted by its slot.</summary>
internal readonly record struct RepeatedSeed(ulong Key, ulong Order, long First, long Last) : IComparable<RepeatedSeed>
{
    public long Slot => BlockOrder.SlotOf(Order);

    public int CompareTo(RepeatedSeed other) => Slot.CompareTo(other.Slot);
}

/// <summary>
/// Selects the seeds whose keys occur more than once, and ranks their extents: one with a block that occurs nowhere else stays in
/// any case, so it is the one to keep.
/// </summary>
/// <param name="repeated">Receives the seeds.</param>
internal sealed class RepeatedSeeds(Sorter<RepeatedSeed> repeated)
{
    // If a key occurs more often than this, some of its first seeds may miss that it also occurs in other extents.
    private const int MostHeld = 1024;

    private const int Step = 1 << 16;

    private readonly List<ulong> _orders = [];
    private ulong _key;
    private bool _isPart;

    /// <summary>Reads all seeds.</summary>
    /// <param name="seeds">The seeds, sorted by key.</param>
    /// <param name="pump">Called from time to time with the number of seeds read; it may throw to end the work.</param>
    public void Run(Sorter<Seed> seeds, Action<long> pump)
    {
        using SortedReader<Seed> sorted = seeds.Read();
        for (long count = 1; sorted.Next(out Seed seed); count++)
        {
            if (seed.Key != _key)
            {
                Flush();
                (_key, _isPart) = (seed.Key, false);
            }
            else if (_orders.Count == MostHeld)
            {
                Flush();
                _isPart = true;
            }

            _orders.Add(seed.Order);
            if (count % Step == 0)
            {
                pump(Step);
            }
        }

        Flush();
    }

    /// <summary>Adds the ranks of their extents to seeds.</summary>
    /// <param name="repeated">The seeds.</param>
    /// <param name="extents">The extents, sorted by slot.</param>
    /// <param name="ranked">Receives the seeds.</param>
    public static void Rank(Sorter<RepeatedSeed> repeated, SpillList<ScannedExtent> extents, Sorter<Seed> ranked)
    {
        using SortedReader<RepeatedSeed> sorted = repeated.Read();
        var reader = new ListReader<ScannedExtent>(extents);
        List<RepeatedSeed> own = [];
        bool any = sorted.Next(out RepeatedSeed seed);
        for (long start = 0; any && reader.Next(out ScannedExtent extent); start = extent.End)
        {
            own.Clear();
            int elsewhere = 0;
            for (; any && seed.Slot < extent.End; any = sorted.Next(out seed))
            {
                own.Add(seed);
                elsewhere += IsOutside(seed.First, start, extent.End) || IsOutside(seed.Last, start, extent.End) ? 1 : 0;
            }

            uint rank = elsewhere < extent.Seeds ? BlockOrder.Kept(extent.Rank) : extent.Rank;
            foreach (RepeatedSeed each in own)
            {
                ranked.Add(new Seed(each.Key, BlockOrder.Ranked(each.Order, rank)));
            }
        }
    }

    private static bool IsOutside(long slot, long start, long end) => slot < start || slot >= end;

    private void Flush()
    {
        if (_orders.Count > 1 || (_isPart && _orders.Count > 0))
        {
            (long first, long last) = (BlockOrder.SlotOf(_orders[0]), BlockOrder.SlotOf(_orders[^1]));
            foreach (ulong order in _orders)
            {
                repeated.Add(new RepeatedSeed(_key, order, first, last));
            }
        }

        _orders.Clear();
    }
}
