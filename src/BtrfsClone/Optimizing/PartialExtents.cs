using BtrfsClone.Extents;

namespace BtrfsClone.Optimizing;

/// <summary>
/// Finds, by the pieces of one file after the other, the extents that a file uses only a part of. Whether others use the rest
/// has to be asked then. Each is found once. Memory grows by some 40 bytes for each.
/// </summary>
internal sealed class PartialExtents
{
    // Of a file with more such pieces, some that together use a whole extent may not be seen to.
    private const int Most = 1 << 18;

    private readonly List<Piece> _pieces = [];
    private readonly HashSet<long> _seen = [];

    /// <summary>Begins anew.</summary>
    public void Clear()
    {
        _pieces.Clear();
        _seen.Clear();
    }

    /// <summary>Takes a piece. False where there is no room: <see cref="Take"/> makes it.</summary>
    public bool TryAdd(in FileExtent piece)
    {
        if (piece.RawDiskOffset > 0 && piece.Length < piece.RawRamLength && piece.Compression is ExtentCompression compression)
        {
            _pieces.Add(new Piece(
                piece.RawDiskOffset, piece.RawExtentOffset, piece.Length, piece.RawDiskLength, piece.RawRamLength, compression));
        }

        return _pieces.Count < Most;
    }

    /// <summary>Takes the extents out of which the pieces do not make a whole.</summary>
    public IEnumerable<UsedExtent> Take()
    {
        _pieces.Sort(static (one, other) =>
        {
            int order = one.Place.CompareTo(other.Place);
            return order != 0 ? order : one.Offset.CompareTo(other.Offset);
        });
        for (int first = 0, next; first < _pieces.Count; first = next)
        {
            long used = 0;
            long end = 0;
            for (next = first; next < _pieces.Count && _pieces[next].Place == _pieces[first].Place; next++)
            {
                long pieceEnd = _pieces[next].Offset + _pieces[next].Length;
                used += Math.Max(pieceEnd - Math.Max(end, _pieces[next].Offset), 0);
                end = Math.Max(end, pieceEnd);
            }

            Piece piece = _pieces[first];
            if (used < piece.RamLength && _seen.Add(piece.Place))
            {
                yield return new UsedExtent(piece.Place, piece.DiskLength, piece.RamLength, piece.Compression);
            }
        }

        _pieces.Clear();
    }

    private readonly record struct Piece(
        long Place, long Offset, long Length, long DiskLength, long RamLength, ExtentCompression Compression);
}
