using System.Runtime.InteropServices;

namespace BtrfsClone.Finding;

/// <summary>All searched file extents of one extent; or, if they come from FIEMAP only, file extents that overlap.</summary>
internal sealed class ExtentCluster
{
    private readonly List<Piece> _pieces = [];
    private long _end;

    /// <summary>The file extents, sorted by their offset in the extent.</summary>
    public ReadOnlySpan<Piece> Pieces => CollectionsMarshal.AsSpan(_pieces);

    public long Disk { get; private set; }

    public int DiskBlocks(int blockSize) => checked((int)((_end - Disk) / blockSize));

    public void Clear() => _pieces.Clear();

    /// <summary>Adds the next file extent, unless it belongs to another extent.</summary>
    public bool TryAdd(Piece piece, int blockSize)
    {
        if (_pieces.Count == 0)
        {
            (Disk, _end) = (piece.Disk, 0);
        }
        else if (piece.Disk >= _end)
        {
            return false;
        }

        _end = Math.Max(_end, piece.Disk + ((long)piece.DiskBlocks * blockSize));
        if (piece.Is(PieceFlags.Mapped) && piece.Compression != 0)
        {
            PlaceCompressed(ref piece);
        }
        else
        {
            piece.First += (int)((piece.Disk - Disk) / blockSize);
        }

        piece.Disk = Disk;
        _pieces.Add(piece);
        return true;
    }

    /// <summary>
    /// FIEMAP does not report the offset of a file extent in a compressed extent. Those with the same file offset and length are
    /// clones of each other; any other one is assumed to be at an offset of its own.
    /// </summary>
    private void PlaceCompressed(ref Piece piece)
    {
        piece.First = 0;
        if (_pieces.Count > 0)
        {
            Piece last = _pieces[^1];
            bool isClone = last.FileBlock == piece.FileBlock && last.Blocks == piece.Blocks;
            piece.First = isClone ? last.First : last.First + last.Blocks + 1;
        }
    }
}
