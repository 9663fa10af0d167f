using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>
/// Makes the kernel read parts of a file in the order of their disk addresses, before they are copied in file order: a rotating
/// disk seeks less, and the data is still written in file order.
/// </summary>
internal sealed class DeviceOrder
{
    private readonly List<(long Physical, long Offset, long Length)> _pieces = [];

    /// <summary>
    /// Starts reading what will be copied. If the disk order of a file is its own order, the kernel's readahead is sufficient.
    /// </summary>
    /// <param name="route">The route.</param>
    /// <param name="file">The file.</param>
    /// <param name="pieces">File extents of it. Those with a position in a pool are already taken.</param>
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

    /// <summary>
    /// Whether a file extent is read through the page cache: it has not been copied yet, and is not moved in compressed form.
    /// </summary>
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
