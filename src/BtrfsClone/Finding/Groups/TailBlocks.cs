namespace BtrfsClone.Finding;

/// <summary>The blocks of an extent in which files end. A truncated file may have fewer bytes of a block than a clone of it.</summary>
internal sealed class TailBlocks
{
    private const int Whole = int.MaxValue;

    // The highest and lowest number of bytes that any file has of a block in which one ends.
    private readonly Dictionary<int, (int Most, int Least)> _blocks = [];

    /// <summary>Finds those of an extent.</summary>
    public void Find(ExtentCluster cluster)
    {
        _blocks.Clear();
        foreach (ref readonly Piece piece in cluster.Pieces)
        {
            if (IsTail(piece))
            {
                int last = LastOf(piece);
                (int most, int least) = _blocks.GetValueOrDefault(last, (piece.Tail, piece.Tail));
                _blocks[last] = (Math.Max(most, piece.Tail), Math.Min(least, piece.Tail));
            }
        }

        foreach (int block in _blocks.Keys)
        {
            if (HasWhole(cluster, block))
            {
                _blocks[block] = (Whole, _blocks[block].Least);
            }
        }
    }

    /// <summary>Whether another file has more bytes of the block in which a file extent ends.</summary>
    public bool IsMoreElsewhere(in Piece piece) => IsTail(piece) && _blocks[LastOf(piece)].Most > piece.Tail;

    /// <summary>Changes the keys of blocks in which all their files end at the same byte.</summary>
    /// <param name="parts">The extent's blocks.</param>
    /// <param name="keys">Their keys.</param>
    public void Mark(ReadOnlySpan<KeyPart> parts, Span<ulong> keys)
    {
        foreach ((int block, (int most, int least)) in _blocks)
        {
            if (most == least)
            {
                ref ulong key = ref keys[PositionOf(parts, block)];
                key = Key.OfTail(key, (ushort)most);
            }
        }
    }

    private static bool IsTail(in Piece piece) => piece.Tail > 0 && piece.Blocks > 0 && !piece.Is(PieceFlags.Unread);

    private static int LastOf(in Piece piece) => piece.First + piece.Blocks - 1;

    private static bool HasWhole(ExtentCluster cluster, int block)
    {
        foreach (ref readonly Piece piece in cluster.Pieces)
        {
            int last = LastOf(piece);
            if (!piece.Is(PieceFlags.Unread) && piece.First <= block && (last > block || (last == block && piece.Tail == 0)))
            {
                return true;
            }
        }

        return false;
    }

    private static int PositionOf(ReadOnlySpan<KeyPart> parts, int block)
    {
        int before = 0;
        foreach (ref readonly KeyPart part in parts)
        {
            if (block < part.First + part.Blocks)
            {
                return before + block - part.First;
            }

            before += part.Blocks;
        }

        throw new ArgumentOutOfRangeException(nameof(block));
    }
}
