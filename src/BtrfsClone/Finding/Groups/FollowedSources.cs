using System.Runtime.InteropServices;

namespace BtrfsClone.Finding;

/// <summary>A range of a file that is to share another one's extents; sorted by its position.</summary>
internal readonly record struct MovedRange(int File, long Block, long Length, int SourceFile, long SourceBlock)
    : IComparable<MovedRange>
{
    public int CompareTo(MovedRange other) => File != other.File ? File.CompareTo(other.File) : Block.CompareTo(other.Block);
}

/// <summary>
/// Follows the sources of ranges that are themselves to share other extents, so that all equal data ends up in one place, in
/// whatever order groups are merged: a part is split where its source is split, and each piece gets the final source.
/// </summary>
/// <param name="tables">The results of the scan.</param>
/// <param name="leastLength">The minimum length of a part in bytes.</param>
/// <param name="moved">All ranges that are to share other extents.</param>
/// <param name="parts">Receives the parts.</param>
internal sealed class FollowedSources(SearchTables tables, long leastLength, Sorter<MovedRange> moved, Sorter<GroupPart> parts)
{
    private readonly List<MovedRange> _active = [];
    private readonly List<(GroupPart Part, bool IsMoved)> _pieces = [];
    private MovedRange _next;
    private bool _hasNext;

    /// <summary>Follows all sources. Blocks only move to blocks that precede them in the order, so this terminates.</summary>
    /// <param name="found">The original parts.</param>
    public void Run(Sorter<GroupPart> found)
    {
        Sorter<GroupPart> current = found;
        try
        {
            while (current.Count > 0)
            {
                var further = new Sorter<GroupPart>(tables.Memory);
                try
                {
                    Follow(current, further);
                }
                finally
                {
                    current.Dispose();
                    current = further;
                }
            }
        }
        finally
        {
            current.Dispose();
        }
    }

    private void Follow(Sorter<GroupPart> found, Sorter<GroupPart> further)
    {
        using SortedReader<GroupPart> sorted = found.Read();
        using SortedReader<MovedRange> ranges = moved.Read();
        _active.Clear();
        _hasNext = ranges.Next(out _next);
        while (sorted.Next(out GroupPart part))
        {
            if (TryPart(part, Overlapping(part, ranges)))
            {
                foreach ((GroupPart piece, bool isMoved) in _pieces)
                {
                    (isMoved ? further : parts).Add(piece);
                }
            }
            else
            {
                parts.Add(part);
            }
        }
    }

    /// <summary>Splits a part; false if one of the pieces could not be shared, or is too short.</summary>
    private bool TryPart(in GroupPart part, ReadOnlySpan<MovedRange> ranges)
    {
        _pieces.Clear();
        long at = part.SourceBlock;
        long end = EndOf(part.SourceBlock, part.Length);
        foreach (ref readonly MovedRange range in ranges)
        {
            long first = Math.Max(at, range.Block);
            long last = Math.Min(end, EndOf(range.Block, range.Length));
            if (!TryAdd(part, at, first, part.SourceFile, at, isMoved: false) ||
                !TryAdd(part, first, last, range.SourceFile, range.SourceBlock + first - range.Block, isMoved: true))
            {
                return false;
            }

            at = last;
        }

        return _pieces.Count > 0 && TryAdd(part, at, end, part.SourceFile, at, isMoved: false);
    }

    private bool TryAdd(in GroupPart part, long first, long end, int sourceFile, long sourceBlock, bool isMoved)
    {
        if (end <= first)
        {
            return true;
        }

        long before = first - part.SourceBlock;
        GroupPart piece = part with
        {
            SourceFile = sourceFile,
            SourceBlock = sourceBlock,
            Block = part.Block + before,
            Length = Math.Min(part.Length - (before * tables.BlockSize), (end - first) * tables.BlockSize),
            Storage = part.Storage + before,
        };
        _pieces.Add((piece, isMoved));

        // Two ranges of one file must not overlap.
        bool overlaps = piece.File == sourceFile && Math.Abs(piece.Block - sourceBlock) < tables.BlocksOf(piece.Length);
        return !overlaps && piece.Length >= Math.Min(leastLength, part.Length);
    }

    /// <summary>The ranges that overlap a part's source; parts come in the order of their sources.</summary>
    private ReadOnlySpan<MovedRange> Overlapping(in GroupPart part, SortedReader<MovedRange> ranges)
    {
        int kept = 0;
        foreach (MovedRange range in CollectionsMarshal.AsSpan(_active))
        {
            if (range.File == part.SourceFile && EndOf(range.Block, range.Length) > part.SourceBlock)
            {
                _active[kept++] = range;
            }
        }

        _active.RemoveRange(kept, _active.Count - kept);
        long end = EndOf(part.SourceBlock, part.Length);
        for (; _hasNext && (_next.File < part.SourceFile || (_next.File == part.SourceFile && _next.Block < end));
            _hasNext = ranges.Next(out _next))
        {
            if (_next.File == part.SourceFile && EndOf(_next.Block, _next.Length) > part.SourceBlock)
            {
                _active.Add(_next);
            }
        }

        // A longer part before this one may have added ranges beyond its end.
        int count = _active.FindIndex(range => range.Block >= end);
        return CollectionsMarshal.AsSpan(_active)[..(count < 0 ? _active.Count : count)];
    }

    private long EndOf(long block, long length) => block + tables.BlocksOf(length);

    /// <summary>Two ranges of one file must not overlap.</summary>
    private bool Overlaps(in GroupPart part) =>
        part.File == part.SourceFile && Math.Abs(part.Block - part.SourceBlock) < tables.BlocksOf(part.Length);
}
