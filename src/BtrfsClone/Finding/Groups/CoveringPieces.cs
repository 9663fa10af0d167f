using System.Runtime.InteropServices;

namespace BtrfsClone.Finding;

/// <summary>The file extents that overlap a range of slots, for ranges in the order of their beginnings.</summary>
internal sealed class CoveringPieces(SpillList<SlotPiece> pieces, FileMarks dropped)
{
    private readonly ListReader<SlotPiece> _reader = new(pieces);
    private readonly List<SlotPiece> _active = [];
    private SlotPiece _next;
    private bool _hasNext;
    private bool _isStarted;

    /// <summary>The file extents, possibly with others; valid until the next call.</summary>
    public ReadOnlySpan<SlotPiece> Of(long start, long end)
    {
        if (!_isStarted)
        {
            _isStarted = true;
            _hasNext = _reader.Next(out _next);
        }

        int kept = 0;
        foreach (SlotPiece piece in CollectionsMarshal.AsSpan(_active))
        {
            if (piece.End > start)
            {
                _active[kept++] = piece;
            }
        }

        _active.RemoveRange(kept, _active.Count - kept);
        for (; _hasNext && _next.Slot < end; _hasNext = _reader.Next(out _next))
        {
            if (_next.End > start && !dropped[_next.File])
            {
                _active.Add(_next);
            }
        }

        return CollectionsMarshal.AsSpan(_active);
    }
}
