namespace BtrfsClone.Finding;

/// <summary>A part of a run in a file that can share, sorted by the slots of the source.</summary>
internal struct HalfPair : IComparable<HalfPair>
{
    public long Source;
    public long Slot;
    public long Block;
    public int File;
    public int Blocks;

    public readonly int CompareTo(HalfPair other)
    {
        int order = Source.CompareTo(other.Source);
        order = order != 0 ? order : File.CompareTo(other.File);
        return order != 0 ? order : Block.CompareTo(other.Block);
    }
}

/// <summary>Blocks of a file that can share those of another file, or others of the same file; sorted by position.</summary>
internal struct BlockPair : IComparable<BlockPair>
{
    public int File;
    public int SourceFile;
    public long Block;
    public long SourceBlock;
    public long Slot;
    public int Blocks;

    public readonly int CompareTo(BlockPair other) =>
        File != other.File ? File.CompareTo(other.File) : Block.CompareTo(other.Block);
}

/// <summary>Maps slots to positions in files: all positions of the blocks that can share, and one of the source.</summary>
/// <param name="tables">The results of the scan.</param>
/// <param name="dropped">Files that will share another one's extents as a whole; their slots are ignored.</param>
internal sealed class PlaceJoin(SearchTables tables, FileMarks dropped)
{
    /// <summary>Finds all positions of the runs.</summary>
    public void Expand(SpillList<Run> runs, Sorter<HalfPair> halves)
    {
        var covering = new CoveringPieces(tables.Pieces, dropped);
        var reader = new ListReader<Run>(runs);
        while (reader.Next(out Run run))
        {
            foreach (SlotPiece piece in covering.Of(run.Slot, run.End))
            {
                long start = Math.Max(run.Slot, piece.Slot);
                halves.Add(new HalfPair
                {
                    Source = start - run.Distance,
                    Slot = start,
                    File = piece.File,
                    Block = piece.FileBlock + start - piece.Slot,
                    Blocks = (int)(Math.Min(run.End, piece.End) - start),
                });
            }
        }
    }

    /// <summary>Finds a position of the source for each.</summary>
    public void Join(SortedReader<HalfPair> halves, Sorter<BlockPair> pairs)
    {
        var covering = new CoveringPieces(tables.Pieces, dropped);
        while (halves.Next(out HalfPair half))
        {
            ReadOnlySpan<SlotPiece> pieces = covering.Of(half.Source, half.Source + half.Blocks);
            for (int done = 0; done < half.Blocks;)
            {
                int blocks = Best(pieces, half, done, out BlockPair pair);
                if (blocks > 0)
                {
                    pairs.Add(pair);
                }

                done += Math.Max(blocks, 1);
            }
        }
    }

    /// <summary>The position with the most consecutive blocks; among equals, that of the file found first.</summary>
    private static int Best(ReadOnlySpan<SlotPiece> pieces, in HalfPair half, int done, out BlockPair best)
    {
        best = default;
        long source = half.Source + done;
        long block = half.Block + done;
        foreach (SlotPiece piece in pieces)
        {
            if (piece.Slot > source || piece.End <= source)
            {
                continue;
            }

            long blocks = Math.Min(piece.End - source, half.Blocks - done);
            long sourceBlock = piece.FileBlock + source - piece.Slot;
            if (piece.File == half.File)
            {
                // Two ranges of one file must not overlap.
                blocks = Math.Min(blocks, Math.Abs(sourceBlock - block));
            }

            if (blocks > best.Blocks || (blocks == best.Blocks && blocks > 0 &&
                (piece.File, sourceBlock).CompareTo((best.SourceFile, best.SourceBlock)) < 0))
            {
                best = new BlockPair
                {
                    File = half.File,
                    Block = block,
                    SourceFile = piece.File,
                    SourceBlock = sourceBlock,
                    Slot = half.Slot + done,
                    Blocks = (int)blocks,
                };
            }
        }

        return best.Blocks;
    }
}
