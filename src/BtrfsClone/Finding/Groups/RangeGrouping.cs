namespace BtrfsClone.Finding;

/// <summary>Finds blocks in a row that hold the same as others, at any place of any file.</summary>
/// <param name="tables">What the scan has found.</param>
/// <param name="keys">Where the keys of blocks came from.</param>
/// <param name="files">The whole files that were found to be the same.</param>
/// <param name="leastLength">Bytes that a range has at least.</param>
internal sealed class RangeGrouping(SearchTables tables, IBlockKeys keys, FileGrouping files, long leastLength)
{
    // Keys that stand for as much never meet by accident.
    private const int EnoughEvidence = 8;

    // With 4 bytes of evidence, about one block in a thousand of so many has the same key as another one by accident.
    private const long FewBlocks = 1L << 23;

    // And of so many, one in 16: too many to begin with.
    private const long ManyBlocks = 1L << 28;

    /// <summary>Finds all ranges.</summary>
    /// <param name="parts">What takes their places, but for the one of each group that is kept.</param>
    /// <param name="pump">Is called now and then with how many blocks were worked on; it may end the work by an exception.</param>
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
