using System.Runtime.InteropServices;
using BtrfsClone.Extents;

namespace BtrfsClone.Optimizing;

/// <summary>
/// Finds, from the file extents of one file after the other, the extents that a file uses only partly, and those that may be joined
/// with the next one. What other files use of them has to be looked up then. Each is found once. Memory grows by some 40 bytes per
/// extent.
/// </summary>
/// <param name="targetSize">Smaller extents may be joined.</param>
internal sealed class CandidateExtents(long targetSize)
{
    // If a file has more such file extents, those that together use a whole extent may not all be recognized.
    private const int Most = 1 << 17;

    private readonly List<Piece> _pieces = [];
    private readonly HashSet<long> _partial = [];
    private readonly HashSet<long> _seen = [];

    /// <summary>Clears the state.</summary>
    public void Clear()
    {
        _pieces.Clear();
        _seen.Clear();
    }

    /// <summary>Adds a file extent, in file order. False if there is no room: <see cref="Take"/> makes room.</summary>
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

    /// <summary>Returns and removes the extents found, in file order.</summary>
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

    /// <summary>Finds the extents that the file extents do not cover completely.</summary>
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

    /// <summary>Whether a file extent may be joined with the next one: both are small, or are replaced anyway.</summary>
    private bool MayJoin(int index)
    {
        ReadOnlySpan<Piece> two = CollectionsMarshal.AsSpan(_pieces).Slice(index, 2);
        return two[0].Extent.End == two[1].Extent.Offset && two[0].Extent.Compression == two[1].Extent.Compression &&
            two[0].Extent.RawDiskOffset != two[1].Extent.RawDiskOffset && IsSmall(two[0]) && IsSmall(two[1]);
    }

    private bool IsSmall(in Piece piece) => piece.IsSmall || (targetSize > 0 && _partial.Contains(piece.Extent.RawDiskOffset));

    private readonly record struct Piece(FileExtent Extent, bool IsSmall);
}
