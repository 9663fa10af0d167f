using System.Runtime.InteropServices;

namespace BtrfsClone.Finding;

/// <summary>
/// All pieces of one extent that are searched; or, where only FIEMAP tells of them, pieces that overlap.
/// </summary>
internal sealed class ExtentCluster
{
    private readonly List<Piece> _pieces = [];
    private long _end;

    /// <summary>The pieces, by where in the extent they begin.</summary>
    public ReadOnlySpan<Piece> Pieces => CollectionsMarshal.AsSpan(_pieces);

    public long Disk { get; private set; }

    public int DiskBlocks(int blockSize) => checked((int)((_end - Disk) / blockSize));

    public void Clear() => _pieces.Clear();

    /// <summary>Adds the next piece of all, unless it belongs to another extent.</summary>
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
    /// FIEMAP does not tell where in a compressed extent a piece begins. Pieces at one place in their files, and of one
    /// length, are clones of each other; any other piece is taken to be in a place of its own.
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
