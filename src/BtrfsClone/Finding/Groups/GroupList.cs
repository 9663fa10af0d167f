namespace BtrfsClone.Finding;

/// <summary>
/// The groups that were found, and what each frees. An extent is freed as a whole, when no part of it is referenced any more: if
/// this takes several groups, its size is divided among them by their parts of it.
/// </summary>
/// <param name="tables">The results of the scan.</param>
/// <param name="isHeldBySnapshot">Whether a snapshot that is not searched references an extent.</param>
internal sealed class GroupList(SearchTables tables, Func<ExtentEntry, bool> isHeldBySnapshot) : IDisposable
{
    private readonly SpillList<GroupHead> _heads = new(tables.Memory);
    private readonly SpillList<GroupPart> _parts = new(tables.Memory);

    /// <summary>The groups in the order in which they are returned.</summary>
    public Sorter<RankedGroup> Ranked { get; } = new(tables.Memory);

    /// <summary>The length of all parts in bytes.</summary>
    public long Length { get; private set; }

    public GroupHead Head(long group) => _heads[group];

    /// <summary>A part of a group, by its number among all parts.</summary>
    public GroupPart Part(long part) => _parts[part];

    /// <summary>Reads all parts, and ranks the groups.</summary>
    public void Fill(SortedReader<GroupPart> parts)
    {
        using var moves = new Sorter<Move>(tables.Memory);
        Number(parts, moves);
        using var lost = new Sorter<ExtentMove>(tables.Memory);
        using (SortedReader<Move> sorted = moves.Read())
        {
            FindExtents(sorted, lost);
        }

        using var gains = new Sorter<Gain>(tables.Memory);
        using (SortedReader<ExtentMove> sorted = lost.Read())
        {
            FindGains(sorted, gains);
        }

        Rank(gains);
    }

    public void Dispose()
    {
        _heads.Dispose();
        _parts.Dispose();
        Ranked.Dispose();
    }

    private void Number(SortedReader<GroupPart> parts, Sorter<Move> moves)
    {
        GroupHead head = default;
        GroupPart last = default;
        while (parts.Next(out GroupPart part))
        {
            if (head.Parts > 0 && !part.IsOfGroup(last))
            {
                _heads.Add(head);
                head = default;
            }

            if (head.Parts == 0)
            {
                head = new GroupHead { FirstPart = _parts.Count, Length = part.Length, IsFile = part.IsFile, Copies = 1 };
            }

            head.Copies += head.Parts == 0 || part.Storage != last.Storage ? 1 : 0;
            head.Parts++;
            _parts.Add(part);
            last = part;
            if (!part.IsTwin)
            {
                moves.Add(new Move(part.File, part.Block, tables.BlocksOf(part.Length), _heads.Count));
            }
        }

        if (head.Parts > 0)
        {
            _heads.Add(head);
        }
    }

    /// <summary>Finds which blocks of which extents lose a reference. Each block of a file is in at most one move.</summary>
    private void FindExtents(SortedReader<Move> moves, Sorter<ExtentMove> lost)
    {
        using SortedReader<FilePiece> pieces = tables.FilePieces.Read();
        bool hasMove = moves.Next(out Move move);
        bool hasPiece = pieces.Next(out FilePiece piece);
        while (hasMove && hasPiece)
        {
            long end = piece.FileBlock + piece.Blocks;
            long moveEnd = move.Block + move.Blocks;
            if (piece.File == move.File && piece.Slot >= 0)
            {
                long blocks = Math.Min(end, moveEnd) - Math.Max(piece.FileBlock, move.Block);
                if (blocks > 0)
                {
                    lost.Add(new ExtentMove(piece.Extent, blocks, move.Group));
                }
            }

            if (piece.File < move.File || (piece.File == move.File && end <= moveEnd))
            {
                hasPiece = pieces.Next(out piece);
            }
            else
            {
                hasMove = moves.Next(out move);
            }
        }
    }

    private void FindGains(SortedReader<ExtentMove> lost, Sorter<Gain> gains)
    {
        var extents = new ListReader<ExtentEntry>(tables.Extents);
        var own = new List<ExtentMove>();
        bool any = lost.Next(out ExtentMove move);
        while (any)
        {
            own.Clear();
            int extent = move.Extent;
            long blocks = 0;
            for (; any && move.Extent == extent; any = lost.Next(out move))
            {
                own.Add(move);
                blocks += move.Blocks;
            }

            ExtentEntry entry;
            do
            {
                extents.Next(out entry);
            }
            while (extents.Index < extent);

            if (blocks == entry.PieceBlocks && entry.Holder != Holder.Other &&
                (entry.Holder == Holder.None || !isHeldBySnapshot(entry)))
            {
                Share((long)entry.DiskBlocks * tables.BlockSize, blocks, own, gains);
            }
        }
    }

    private static void Share(long bytes, long blocks, List<ExtentMove> moves, Sorter<Gain> gains)
    {
        foreach (ExtentMove move in moves)
        {
            // The remainder is carried over to the next one, so that the sum is exact.
            long part = (long)((Int128)bytes * move.Blocks / blocks);
            gains.Add(new Gain(move.Group, part));
            bytes -= part;
            blocks -= move.Blocks;
        }
    }

    private void Rank(Sorter<Gain> gains)
    {
        using SortedReader<Gain> sorted = gains.Read();
        var heads = new ListReader<GroupHead>(_heads);
        bool any = sorted.Next(out Gain gain);
        while (heads.Next(out GroupHead head))
        {
            long sum = 0;
            for (; any && gain.Group == heads.Index; any = sorted.Next(out gain))
            {
                sum += gain.Bytes;
            }

            Length += head.Length * head.Parts;
            Ranked.Add(new RankedGroup(sum, head.Length * (head.Copies - 1), heads.Index));
        }
    }
}
