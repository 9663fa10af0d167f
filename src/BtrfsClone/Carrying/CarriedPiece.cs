using BtrfsClone.Extents;

namespace BtrfsClone.Carrying;

/// <summary>A piece of a file that is brought to another filesystem.</summary>
internal struct CarriedPiece
{
    public FileExtent Extent;

    /// <summary>Bytes of the file in it: its end may lie beyond the file's.</summary>
    public long Length;

    /// <summary>Its place in a <see cref="SharedPool"/>, or -1 where it is of no use there.</summary>
    public long Place;

    /// <summary>That pool.</summary>
    public SharedPool? Pool;

    /// <summary>Bytes that were copied to that place for it.</summary>
    public long Brought;

    /// <summary>A part of it, by bytes from its beginning.</summary>
    public readonly CarriedPiece Part(long from, long to) => new()
    {
        Extent = Extent.Part(Extent.Offset + from, to == Length ? Extent.End : Extent.Offset + to),
        Length = to - from,
        Place = IsPooled ? Place + from : Place,
        Pool = Pool,
    };

    public readonly bool IsPooled => Place >= 0;

    /// <summary>Whether it is known how the whole extent is stored, which is compressed.</summary>
    public readonly bool IsEncoded =>
        Extent is { Kind: ExtentKind.Data, RawExtentOffset: >= 0, Compression: not (null or ExtentCompression.None) };
}
