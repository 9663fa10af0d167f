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

    /// <summary>One of them is inline: they cannot be one, whatever they hold.</summary>
    Inline,

    /// <summary>They cannot be one, or there is nothing to be saved.</summary>
    NotMergeable,
}

/// <summary>Tells what is to be done with two pieces.</summary>
internal static class PieceRelations
{
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
            return PieceRelation.Inline;
        }

        switch (ExtentPlace.Relate(reference, piece, position))
        {
            case PlaceRelation.Same:
                return PieceRelation.Same;
            case PlaceRelation.PerhapsSame:
                return PieceRelation.PerhapsSame;
        }

        // Space that somebody has reserved stays reserved.
        return piece.Kind == ExtentKind.Prealloc ? PieceRelation.NotMergeable : PieceRelation.Apart;
    }
}
