using System.Runtime.InteropServices;
using BtrfsClone.Extents;

namespace BtrfsClone.Optimizing;

/// <summary>
/// Finds, by the pieces of one file after the other, the extents that a file uses only a part of, and those that may be joined
/// with the next one. What others use of them has to be asked then. Each is found once. Memory grows by some 40 bytes for each.
/// </summary>
/// <param name="targetSize">Smaller extents may be joined.</param>
internal sealed class CandidateExtents(long targetSize)
{
    // Of a file with more such pieces, some that together use a whole extent may not be seen to.
    private const int Most = 1 << 17;

    private readonly List<Piece> _pieces = [];
    private readonly HashSet<long> _partial = [];
    private readonly HashSet<long> _seen = [];

    /// <summary>Begins anew.</summary>
    public void Clear()
    {
        _pieces.Clear();
        _seen.Clear();
    }

    /// <summary>
    /// Takes a piece, of one file in the order of their places. False where there is no room: <see cref="Take"/> makes it.
    /// </summary>
    public bool TryAdd(in FileExtent piece)
    {
        if (piece.RawDiskOffset > 0 && piece.Compression is ExtentCompression compression)
        {
            bool isSmall = piece.Kind == ExtentKind.Data && piece.RawRamLength < targetSize &&
                (compression == ExtentCompression.None || piece.RawRamLength < ExtentGroup.LargestCompressed);
            if (isSmall || piece.Length < piece.RawRamLength)
            {
                _pieces.Add(new Piece(piece, isSmall));
            }
        }

        return _pieces.Count < Most;
    }

    /// <summary>Takes the extents that the pieces make, in the order of the file.</summary>
    public IEnumerable<UsedExtent> Take()
    {
        FindPartial();
        for (int i = 0; i < _pieces.Count; i++)
        {
            FileExtent piece = _pieces[i].Extent;
            bool isCandidate = _partial.Contains(piece.RawDiskOffset) || (i > 0 && MayJoin(i - 1)) ||
                (i + 1 < _pieces.Count && MayJoin(i));
            if (isCandidate && _seen.Add(piece.RawDiskOffset))
            {
                yield return new UsedExtent(
                    piece.RawDiskOffset, piece.RawDiskLength, piece.RawRamLength, piece.Compression.GetValueOrDefault());
            }
        }

        _pieces.Clear();
    }

    /// <summary>Finds the extents of which the pieces do not make a whole.</summary>
    private void FindPartial()
    {
        _partial.Clear();
        List<FileExtent> pieces = [.. _pieces.Select(piece => piece.Extent).Where(piece => piece.Length < piece.RawRamLength)];
        pieces.Sort(static (one, other) =>
        {
            int order = one.RawDiskOffset.CompareTo(other.RawDiskOffset);
            return order != 0 ? order : one.RawExtentOffset.CompareTo(other.RawExtentOffset);
        });
        for (int first = 0, next; first < pieces.Count; first = next)
        {
            long used = 0;
            long end = 0;
            for (next = first; next < pieces.Count && pieces[next].RawDiskOffset == pieces[first].RawDiskOffset; next++)
            {
                long pieceEnd = pieces[next].RawExtentOffset + pieces[next].Length;
                used += Math.Max(pieceEnd - Math.Max(end, pieces[next].RawExtentOffset), 0);
                end = Math.Max(end, pieceEnd);
            }

            if (used < pieces[first].RawRamLength)
            {
                _partial.Add(pieces[first].RawDiskOffset);
            }
        }
    }

    /// <summary>Whether a piece may be joined with the next one: both are small, or are replaced anyway.</summary>
    private bool MayJoin(int index)
    {
        ReadOnlySpan<Piece> two = CollectionsMarshal.AsSpan(_pieces).Slice(index, 2);
        return two[0].Extent.End == two[1].Extent.Offset && two[0].Extent.Compression == two[1].Extent.Compression &&
            two[0].Extent.RawDiskOffset != two[1].Extent.RawDiskOffset && IsSmall(two[0]) && IsSmall(two[1]);
    }

    private bool IsSmall(in Piece piece) => piece.IsSmall || (targetSize > 0 && _partial.Contains(piece.Extent.RawDiskOffset));

    private readonly record struct Piece(FileExtent Extent, bool IsSmall);
}
