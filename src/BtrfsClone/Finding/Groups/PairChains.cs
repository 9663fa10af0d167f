namespace BtrfsClone.Finding;

/// <summary>Joins pairs that are consecutive in both files, across extent boundaries, and turns them into parts of groups.</summary>
/// <param name="tables">The results of the scan.</param>
/// <param name="leastLength">The minimum length of a part in bytes.</param>
/// <param name="leastBlocks">The minimum length of a part in blocks, so that equal keys are not accidental.</param>
/// <param name="twins">Files that will share the extents of another one, sorted by that one.</param>
/// <param name="parts">Receives the parts.</param>
/// <param name="moved">Receives the ranges that are to share other extents.</param>
internal sealed class PairChains(
    SearchTables tables,
    long leastLength,
    int leastBlocks,
    SortedReader<Twin> twins,
    Sorter<GroupPart> parts,
    Sorter<MovedRange> moved)
{
    private readonly List<int> _twins = [];
    private int _twinsOf = -1;
    private Twin _nextTwin;
    private bool _hasTwin;

    /// <summary>Creates all parts.</summary>
    /// <param name="pairs">The pairs, sorted by position.</param>
    public void Run(SortedReader<BlockPair> pairs)
    {
        _hasTwin = twins.Next(out _nextTwin);
        BlockPair chain = default;
        long blocks = 0;
        while (pairs.Next(out BlockPair pair))
        {
            bool follows = blocks > 0 && pair.File == chain.File && pair.SourceFile == chain.SourceFile &&
                pair.Block == chain.Block + blocks && pair.SourceBlock == chain.SourceBlock + blocks &&
                (pair.File != pair.SourceFile || blocks + pair.Blocks <= Math.Abs(chain.Block - chain.SourceBlock));
            if (!follows)
            {
                Keep(chain, blocks);
                (chain, blocks) = (pair, 0);
            }

            blocks += pair.Blocks;
        }

        Keep(chain, blocks);
    }

    private void Keep(in BlockPair chain, long blocks)
    {
        if (blocks == 0)
        {
            return;
        }

        long length = LengthOf(chain, blocks);
        if (length < leastLength || tables.BlocksOf(length) < leastBlocks)
        {
            return;
        }

        GroupPart part = new()
        {
            SourceFile = chain.SourceFile,
            SourceBlock = chain.SourceBlock,
            File = chain.File,
            Block = chain.Block,
            Length = length,
            Storage = chain.Slot,
        };
        parts.Add(part);
        moved.Add(new MovedRange(part.File, part.Block, part.Length, part.SourceFile, part.SourceBlock));
        foreach (int twin in TwinsOf(chain.File))
        {
            parts.Add(part with { File = twin, IsTwin = true });
        }
    }

    /// <summary>
    /// The length of a pair in bytes. If one of the files ends within the last block, the kernel shares that block only if both end
    /// at the same byte.
    /// </summary>
    private long LengthOf(in BlockPair chain, long blocks)
    {
        int blockSize = tables.BlockSize;
        long length = blocks * blockSize;
        long left = tables.Files[chain.File].Size - (chain.Block * blockSize);
        long sourceLeft = tables.Files[chain.SourceFile].Size - (chain.SourceBlock * blockSize);
        return left >= length && sourceLeft >= length ? length
            : left == sourceLeft ? left
            : Math.Max(Math.Min(left, sourceLeft), 0) / blockSize * blockSize;
    }

    private List<int> TwinsOf(int file)
    {
        if (file != _twinsOf)
        {
            _twinsOf = file;
            _twins.Clear();
            for (; _hasTwin && _nextTwin.Kept <= file; _hasTwin = twins.Next(out _nextTwin))
            {
                if (_nextTwin.Kept == file)
                {
                    _twins.Add(_nextTwin.File);
                }
            }
        }

        return _twins;
    }
}
