namespace BtrfsClone.Finding;

/// <summary>
/// Joins pairs that follow each other in both files, over the borders of extents, and makes parts of groups of them.
/// </summary>
/// <param name="tables">What the scan has found.</param>
/// <param name="leastLength">Bytes that a part has at least.</param>
/// <param name="leastBlocks">Blocks that a part has at least, to be more than an accident.</param>
/// <param name="twins">Files that will share another one's extents, by that one.</param>
/// <param name="parts">Takes the parts.</param>
/// <param name="moved">Takes the ranges that are to share others.</param>
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

    /// <summary>Makes all parts.</summary>
    /// <param name="pairs">The pairs, by their places.</param>
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
    /// The bytes of a pair. Where one of the files ends within the last block, the kernel shares that only if both do, at
    /// the same byte.
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
