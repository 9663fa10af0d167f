using BtrfsClone.Extents;

namespace BtrfsClone.Merging;

/// <summary>The relation between two file extents of two files, by disk address.</summary>
internal enum PieceRelation
{
    /// <summary>They are already shared, or neither contains data.</summary>
    Same,

    /// <summary>Both are in one compressed extent, possibly at different offsets: FIEMAP does not report these.</summary>
    PerhapsSame,

    /// <summary>They can be shared if their data is equal.</summary>
    Apart,

    /// <summary>One of them is inline: they cannot be shared, whatever they contain.</summary>
    Inline,

    /// <summary>They cannot be shared, or sharing them would free nothing.</summary>
    NotMergeable,
}

/// <summary>Determines what to do with two file extents.</summary>
internal static class PieceRelations
{
    /// <summary>Relates a file extent of the reference to one of the file that is merged with it.</summary>
    /// <param name="reference">The file extent of the reference.</param>
    /// <param name="piece">The file extent of the other file.</param>
    /// <param name="position">A position in both.</param>
    public static PieceRelation Relate(in FileExtent reference, in FileExtent piece, long position)
    {
        if (piece.Kind == ExtentKind.Hole)
        {
            // Sharing zeros with a hole would free nothing.
            return reference.Kind is ExtentKind.Hole or ExtentKind.Prealloc ? PieceRelation.Same : PieceRelation.NotMergeable;
        }

        if (reference.Kind == ExtentKind.Inline || piece.Kind == ExtentKind.Inline)
        {
            return PieceRelation.Inline;
        }

        switch (ExtentPlace.Relate(reference, piece, position))
        {
            case PlaceRelation.Same:
                return PieceRelation.Same;
            case PlaceRelation.PerhapsSame:
                return PieceRelation.PerhapsSame;
        }

        // Preallocated space stays preallocated.
        return piece.Kind == ExtentKind.Prealloc ? PieceRelation.NotMergeable : PieceRelation.Apart;
    }
}
