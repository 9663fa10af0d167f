namespace BtrfsClone.Extents;

/// <summary>The relation between the data of two file extents at one position in their files, by disk address.</summary>
internal enum PlaceRelation
{
    /// <summary>They have different addresses, or are not stored on disk.</summary>
    Apart,

    /// <summary>Both are in one compressed extent, possibly at different offsets: FIEMAP does not report these.</summary>
    PerhapsSame,

    /// <summary>They have the same address.</summary>
    Same,
}

/// <summary>The disk addresses of the data of file extents.</summary>
internal static class ExtentPlace
{
    private const long Unknown = -1;

    /// <summary>Relates two file extents from the same kind of source.</summary>
    /// <param name="one">A file extent.</param>
    /// <param name="other">A file extent of another file on the same filesystem, or of the same file.</param>
    /// <param name="position">A position in both.</param>
    public static PlaceRelation Relate(in FileExtent one, in FileExtent other, long position)
    {
        long place = Of(one, position);
        if (one.Kind != other.Kind || place == Unknown || place != Of(other, position) ||
            one.RawDiskOffset != other.RawDiskOffset)
        {
            return PlaceRelation.Apart;
        }

        // Without its offset in the extent, the exact position of a compressed file extent in the extent is unknown.
        return one.Compression != ExtentCompression.None && one.RawExtentOffset == Unknown
            ? PlaceRelation.PerhapsSame
            : PlaceRelation.Same;
    }

    /// <summary>The disk address of the byte at a position, as far as it is known.</summary>
    private static long Of(in FileExtent piece, long position) =>
        piece.RawExtentOffset != Unknown ? piece.RawDiskOffset + piece.RawExtentOffset + position - piece.Offset
        : piece.RawPhysicalOffset == Unknown || piece.Compression != ExtentCompression.None ? piece.RawPhysicalOffset
        : piece.RawPhysicalOffset + position - piece.Offset;
}
