using BtrfsClone.Extents;

namespace BtrfsClone.Carrying;

/// <summary>A file extent that is copied to another filesystem.</summary>
internal struct CarriedPiece
{
    public FileExtent Extent;

    /// <summary>The number of bytes of the file: it may extend beyond the end of the file.</summary>
    public long Length;

    /// <summary>Its position in a <see cref="SharedPool"/>, or -1 if it does not use one.</summary>
    public long Place;

    /// <summary>That pool.</summary>
    public SharedPool? Pool;

    /// <summary>The number of bytes that were copied to the pool for it.</summary>
    public long Brought;

    /// <summary>A part of it, by offsets from its start.</summary>
    public readonly CarriedPiece Part(long from, long to) => new()
    {
        Extent = Extent.Part(Extent.Offset + from, to == Length ? Extent.End : Extent.Offset + to),
        Length = to - from,
        Place = IsPooled ? Place + from : Place,
        Pool = Pool,
    };

    public readonly bool IsPooled => Place >= 0;

    /// <summary>Whether it is compressed and its whole extent is known.</summary>
    public readonly bool IsEncoded =>
        Extent is { Kind: ExtentKind.Data, RawExtentOffset: >= 0, Compression: not (null or ExtentCompression.None) };
}
