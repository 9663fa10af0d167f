namespace BtrfsClone.Extents;

/// <summary>How the bytes of two pieces at one position in their files relate, by where they are stored.</summary>
internal enum PlaceRelation
{
    /// <summary>They are stored in different places, or not on disk.</summary>
    Apart,

    /// <summary>Both lie in one compressed extent, perhaps at different places of it: FIEMAP does not tell.</summary>
    PerhapsSame,

    /// <summary>They are stored in one place.</summary>
    Same,
}

/// <summary>Where bytes of pieces are stored.</summary>
internal static class ExtentPlace
{
    private const long Unknown = -1;

    /// <summary>Relates two pieces that come from the same kind of source.</summary>
    /// <param name="one">A piece.</param>
    /// <param name="other">A piece of another file of the same filesystem, or of the same file.</param>
    /// <param name="position">A position in both.</param>
    public static PlaceRelation Relate(in FileExtent one, in FileExtent other, long position)
    {
        long place = Of(one, position);
        if (one.Kind != other.Kind || place == Unknown || place != Of(other, position) ||
            one.RawDiskOffset != other.RawDiskOffset)
        {
            return PlaceRelation.Apart;
        }

        // Without its place in the extent, a compressed piece is only known to be somewhere in there.
        return one.Compression != ExtentCompression.None && one.RawExtentOffset == Unknown
            ? PlaceRelation.PerhapsSame
            : PlaceRelation.Same;
    }

    /// <summary>Where the byte at a position is stored, as far as it is known.</summary>
    private static long Of(in FileExtent piece, long position) =>
        piece.RawExtentOffset != Unknown ? piece.RawDiskOffset + piece.RawExtentOffset + position - piece.Offset
        : piece.RawPhysicalOffset == Unknown || piece.Compression != ExtentCompression.None ? piece.RawPhysicalOffset
        : piece.RawPhysicalOffset + position - piece.Offset;
}
