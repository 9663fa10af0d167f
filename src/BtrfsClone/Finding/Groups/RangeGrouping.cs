namespace BtrfsClone.Finding;

/// <summary>Finds sequences of blocks that equal others, at any position in any file.</summary>
/// <param name="tables">The results of the scan.</param>
/// <param name="keys">The source of the block keys.</param>
/// <param name="files">The whole files that were found to be equal.</param>
/// <param name="leastLength">The minimum length of a range in bytes.</param>
internal sealed class RangeGrouping(SearchTables tables, IBlockKeys keys, FileGrouping files, long leastLength)
{
    // Keys derived from this many bytes never collide by accident.
    private const int EnoughEvidence = 8;

    // With 4 bytes of evidence and this many blocks, about one block in a thousand has the same key as another by accident.
    private const long FewBlocks = 1L << 23;

    // And with this many, one in 16: too many to start from.
    private const long ManyBlocks = 1L << 28;

    /// <summary>Finds all ranges.</summary>
    /// <param name="parts">Receives their positions, except the one of each group that is kept.</param>
    /// <param name="pump">Called from time to time with the number of blocks processed; it may throw to end the work.</param>
    public void Run(Sorter<GroupPart> parts, Action<long> pump)
    {
        bool isWeak = keys.Evidence < EnoughEvidence && tables.Blocks > FewBlocks;
        int window = isWeak && tables.Blocks > ManyBlocks ? 2 : 1;
        using var runs = new SpillList<Run>(tables.Memory);
        FindRuns(window, runs, pump);
        using var pairs = new Sorter<BlockPair>(tables.Memory);
        var places = new PlaceJoin(tables, files.Dropped);
        using (var halves = new Sorter<HalfPair>(tables.Memory))
        {
            places.Expand(runs, halves);
            using SortedReader<HalfPair> sortedHalves = halves.Read();
            places.Join(sortedHalves, pairs);
        }

        using var found = new Sorter<GroupPart>(tables.Memory);
        using var moved = new Sorter<MovedRange>(tables.Memory);
        using (SortedReader<Twin> twins = files.Twins.Read())
        using (SortedReader<BlockPair> sorted = pairs.Read())
        {
            new PairChains(tables, leastLength, isWeak ? 2 : 1, twins, found, moved).Run(sorted);
        }

        new FollowedSources(tables, leastLength, moved, parts).Run(found);
    }

    private void FindRuns(int window, SpillList<Run> runs, Action<long> pump)
    {
        using var links = new Sorter<Link>(tables.Memory);
        using (var seeds = new SeedScan(tables, files.Dropped, window, pump))
        {
            seeds.Run(links);
        }

        using SortedReader<Link> sorted = links.Read();
        new RunBuilder(tables, window, runs).Run(sorted, pump);
    }
}
