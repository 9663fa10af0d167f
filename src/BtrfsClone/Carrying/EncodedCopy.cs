using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>Moves compressed extents from one btrfs to another in encoded form, without decompressing them.</summary>
internal sealed class EncodedCopy
{
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(EncodedPiece.Largest);

    /// <summary>Writes a file extent to a file, at its offset in the source.</summary>
    /// <param name="route">Updated if no file can be written this way.</param>
    /// <param name="source">The source.</param>
    /// <param name="piece">The file extent.</param>
    /// <param name="destination">The file.</param>
    /// <param name="isMoved">Whether it was moved: otherwise its bytes have to be copied.</param>
    public Failure Move(CarryRoute route, Descriptor source, in CarriedPiece piece, Descriptor destination, out bool isMoved)
    {
        Failure failure = Read(route, source, piece, out Span<byte> bytes, out EncodedPiece read);
        isMoved = !failure.Failed && bytes.Length > 0 && read.Length >= piece.Length;
        if (isMoved)
        {
            read.Offset = piece.Extent.Offset;
            read.Length = piece.Length;
            failure = Write(route, destination, bytes, read, out isMoved);
        }

        return failure;
    }

    /// <summary>Writes the whole extent that a file extent refers to.</summary>
    /// <param name="route">Updated if no file can be written this way.</param>
    /// <param name="source">The source.</param>
    /// <param name="piece">The file extent.</param>
    /// <param name="destination">The file.</param>
    /// <param name="offset">The destination offset of the start of the extent.</param>
    /// <param name="isMoved">Whether it was written.</param>
    public Failure MoveWhole(
        CarryRoute route, Descriptor source, in CarriedPiece piece, Descriptor destination, long offset, out bool isMoved)
    {
        Failure failure = Read(route, source, piece, out Span<byte> bytes, out EncodedPiece read);
        isMoved = !failure.Failed && bytes.Length > 0;
        if (isMoved)
        {
            (read.Offset, read.Length, read.UnencodedOffset) = (offset, read.UnencodedLength, 0);
            failure = Write(route, destination, bytes, read, out isMoved);
        }

        return failure;
    }

    /// <summary>Reads an extent; returns nothing if it is not the expected one.</summary>
    private Failure Read(
        CarryRoute route, Descriptor source, in CarriedPiece piece, out Span<byte> bytes, out EncodedPiece read)
    {
        bytes = [];
        read = new EncodedPiece { Offset = piece.Extent.Offset };
        CallResult result = Sys.ReadEncoded(source, _buffer, ref read);
        if (result.Failed)
        {
            if (result.Error is not (Errno.EIO or Errno.EUCLEAN or Errno.ENOMEM))
            {
                ForgoWhereImpossible(route, result);
                return default;
            }

            return Failure.Source(SystemCall.EncodedRead, result);
        }

        bool isMeant = read.Compression != 0 && read.UnencodedLength == piece.Extent.RawRamLength &&
            read.UnencodedOffset == piece.Extent.RawExtentOffset && result.Value == piece.Extent.RawDiskLength;
        bytes = isMeant ? _buffer.AsSpan(0, (int)result.Value) : [];
        return default;
    }

    private static Failure Write(
        CarryRoute route, Descriptor destination, Span<byte> bytes, in EncodedPiece piece, out bool isMoved)
    {
        CallResult result = Sys.WriteEncoded(destination, bytes, piece);
        isMoved = result.Succeeded;

        // EINVAL only concerns this file extent or this file: it is not compressed because it is NOCOW, or has another sector size.
        if (isMoved || result.Error is Errno.EINVAL)
        {
            return default;
        }

        return ForgoWhereImpossible(route, result) ? default : Failure.Destination(SystemCall.EncodedWrite, result);
    }

    private static bool ForgoWhereImpossible(CarryRoute route, CallResult result)
    {
        bool isImpossible = result.Error is Errno.EPERM or Errno.EACCES or Errno.ENOTTY or Errno.EOPNOTSUPP or Errno.ENOSYS;
        if (isImpossible)
        {
            route.ForgoEncoding();
        }

        return isImpossible;
    }
}
