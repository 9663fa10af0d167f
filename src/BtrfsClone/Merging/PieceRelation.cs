using BtrfsClone.Extents;

namespace BtrfsClone.Merging;

/// <summary>How two pieces of two files relate, by where they are stored.</summary>
internal enum PieceRelation
{
    /// <summary>They are one already, or neither holds anything.</summary>
    Same,

    /// <summary>Both lie in one compressed extent, perhaps at different places of it: FIEMAP does not tell.</summary>
    PerhapsSame,

    /// <summary>They would be one if their bytes are the same.</summary>
    Apart,

    /// <summary>They cannot be one, or there is nothing to be saved.</summary>
    NotMergeable,
}

/// <summary>Tells what is to be done with two pieces.</summary>
internal static class PieceRelations
{
    private const long Unknown = -1;

    /// <summary>Relates a piece of the reference to one of the file that is merged with it.</summary>
    /// <param name="reference">The piece of the reference.</param>
    /// <param name="piece">The piece of the other file.</param>
    /// <param name="position">A place in both.</param>
    public static PieceRelation Relate(in FileExtent reference, in FileExtent piece, long position)
    {
        if (piece.Kind == ExtentKind.Hole)
        {
            // Sharing zeros with a hole would save nothing.
            return reference.Kind is ExtentKind.Hole or ExtentKind.Prealloc ? PieceRelation.Same : PieceRelation.NotMergeable;
        }

        if (reference.Kind == ExtentKind.Inline || piece.Kind == ExtentKind.Inline)
        {
            return PieceRelation.NotMergeable;
        }

        if (reference.Kind == piece.Kind && Place(reference, position) is long place && place != Unknown &&
            place == Place(piece, position) && reference.RawDiskOffset == piece.RawDiskOffset)
        {
            // Without its place in the extent, a compressed piece is only known to be somewhere in there.
            return piece.Compression != ExtentCompression.None && piece.RawExtentOffset == Unknown
                ? PieceRelation.PerhapsSame
                : PieceRelation.Same;
        }

        // Space that somebody has reserved stays reserved.
        return piece.Kind == ExtentKind.Prealloc ? PieceRelation.NotMergeable : PieceRelation.Apart;
    }

    /// <summary>Where the byte at a position is stored, as far as it is known.</summary>
    private static long Place(in FileExtent piece, long position) =>
        piece.RawExtentOffset != Unknown ? piece.RawDiskOffset + piece.RawExtentOffset + position - piece.Offset
        : piece.RawPhysicalOffset == Unknown || piece.Compression != ExtentCompression.None ? piece.RawPhysicalOffset
        : piece.RawPhysicalOffset + position - piece.Offset;
}
