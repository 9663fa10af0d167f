using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>
/// One search on one filesystem: the files below the given items are collected, a key is computed for every block, and data with
/// equal keys is grouped.
/// </summary>
internal sealed class DuplicateSearch : IDisposable
{
    private readonly FindContext _context;
    private readonly Collector _collector;
    private readonly SearchTables _tables;
    private readonly PlacePaths _paths;
    private GroupList? _groups;

    /// <param name="context">The context of the search.</param>
    /// <param name="roots">Items of one filesystem.</param>
    /// <exception cref="BtrfsException">The filesystem cannot be searched in the requested way.</exception>
    public DuplicateSearch(FindContext context, IReadOnlyList<SearchRoot> roots)
    {
        _context = context;
        _collector = new Collector(context, roots);
        _tables = new SearchTables(context.Memory, _collector.Files, _collector.BlockSize);
        _paths = new PlacePaths(_collector.Trees, _collector.Files);
    }

    /// <summary>Searches.</summary>
    public void Run()
    {
        _context.Progress.Start(FindPhase.Collecting, 0);
        _collector.Collect();
        IBlockKeys keys = NewKeys();

        // There is too little data without checksums to be worth reading its beginnings first.
        FileMarks lone = _context.Options.FileOnly
            ? new LoneFiles(_collector.Files, _tables.BlockSize, _context).Find(keys as ContentKeys)
            : new FileMarks();
        using (SortedReader<Piece> pieces = _collector.Pieces.Read())
        {
            // Each block is read, and then sorted and linked to others.
            int passes = _context.Options.FileOnly ? 1 : 3;
            _context.Progress.Start(FindPhase.Comparing, _collector.Work * passes);
            new BlockScan(_tables, keys, _collector.References, lone, _context.Pump).Run(pieces);
        }

        _collector.Pieces.Dispose();
        Group(keys);
    }

    /// <summary>The groups that were found, those that free the most first.</summary>
    public IEnumerable<BtrfsDuplicate> Groups()
    {
        _context.Progress.Start(FindPhase.Writing, _groups!.Length);
        var writer = new GroupWriter(_tables, _groups, _paths, _collector.Fresh, _context);
        using SortedReader<RankedGroup> ranked = _groups.Ranked.Read();
        while (ranked.Next(out RankedGroup group))
        {
            GroupHead head = _groups.Head(group.Group);
            _context.Pump(head.Length * head.Parts);
            if (writer.Write(group) is BtrfsDuplicate duplicate)
            {
                _context.Progress.AddGroup();
                yield return duplicate;
            }
        }
    }

    public void Dispose()
    {
        _groups?.Dispose();
        _tables.Dispose();
        _collector.Dispose();
    }

    private void Group(IBlockKeys keys)
    {
        using var parts = new Sorter<GroupPart>(_context.Memory);
        using (var files = new FileGrouping(_tables, keys, _context.Pump))
        {
            files.Run(parts);
            if (!_context.Options.FileOnly)
            {
                new RangeGrouping(_tables, keys, files, _context.Options.MinimumLength).Run(parts, _context.Pump);
            }
        }

        _groups = new GroupList(_tables, new SnapshotHolders(_collector.Descriptor, _collector.Path).IsHeld);
        using SortedReader<GroupPart> sorted = parts.Read();
        _groups.Fill(sorted);
    }

    private IBlockKeys NewKeys()
    {
        var content = new ContentKeys(_collector.Files, _paths, _tables.BlockSize, _context);
        if (_context.Options.Source == DuplicateSource.Content || _collector.Facts is not BtrfsFileSystemFacts facts)
        {
            return content;
        }

        var kind = new ChecksumKind(facts.ChecksumType, facts.ChecksumSize);
        var reader = new ChecksumReader(_collector.Descriptor, _collector.Path, kind, facts);
        var checksums = new ChecksumKeys(reader, kind, _tables.BlockSize);
        return _context.Options.Source == DuplicateSource.Checksum ? checksums : new AutoKeys(checksums, content);
    }
}
