using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>
/// Has the kernel read pieces of a file in the order in which they lie on the device, before they are copied in the order of the
/// file: a disk that rotates seeks less, and what is written is in the file's order nevertheless.
/// </summary>
internal sealed class DeviceOrder
{
    private readonly List<(long Physical, long Offset, long Length)> _pieces = [];

    /// <summary>
    /// Begins to read what will be copied. Of a file that lies on the device in its own order, the kernel reads ahead by itself.
    /// </summary>
    /// <param name="route">The way.</param>
    /// <param name="file">The file.</param>
    /// <param name="pieces">Pieces of it. Those with a place are taken.</param>
    public void ReadAhead(CarryRoute route, Descriptor file, ReadOnlySpan<CarriedPiece> pieces)
    {
        if (IsOrderOf(pieces))
        {
            return;
        }

        _pieces.Clear();
        foreach (ref readonly CarriedPiece piece in pieces)
        {
            if (IsRead(route, piece))
            {
                _pieces.Add((piece.Extent.RawPhysicalOffset, piece.Extent.Offset, piece.Length));
            }
        }

        _pieces.Sort();
        foreach ((_, long offset, long length) in _pieces)
        {
            Sys.ReadAhead(file, offset, length);
        }
    }

    private static bool IsOrderOf(ReadOnlySpan<CarriedPiece> pieces)
    {
        long last = 0;
        foreach (ref readonly CarriedPiece piece in pieces)
        {
            if (piece.Extent.RawPhysicalOffset < last)
            {
                return false;
            }

            last = piece.Extent.RawPhysicalOffset;
        }

        return true;
    }

    /// <summary>Whether a piece is read by way of the page cache: it is not there yet, and does not travel compressed.</summary>
    private static bool IsRead(CarryRoute route, in CarriedPiece piece)
    {
        if (piece.Extent.Kind != ExtentKind.Data || (piece.IsEncoded && route.MayEncode))
        {
            return false;
        }

        if (!piece.IsPooled)
        {
            return true;
        }

        _ = piece.Pool!.Look(piece.Place, Math.Min(piece.Length, route.BlockSize), out PoolState state);
        return state == PoolState.Missing;
    }
}
