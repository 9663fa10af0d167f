using BtrfsClone.Extents;

namespace BtrfsClone.Optimizing;

/// <summary>
/// Extents that are replaced together: one, or several of which parts are written one behind the other, as the files use them.
/// </summary>
internal sealed class ExtentGroup
{
    /// <summary>The largest extent that btrfs makes by writing (BTRFS_MAX_EXTENT_SIZE).</summary>
    private const long LargestExtent = 128L << 20;

    /// <summary>The same, unpacked, of one that is compressed (BTRFS_MAX_UNCOMPRESSED).</summary>
    public const long LargestCompressed = 128L << 10;

    private readonly List<UsedExtent> _extents;
    private readonly List<ExtentPart> _parts;

    /// <param name="extent">An extent with all its uses.</param>
    public ExtentGroup(UsedExtent extent)
    {
        (_extents, _parts) = ([extent], ExtentPart.Of(extent));
        Length = _parts.Sum(part => part.Length);
        int ends = _parts.Count(part => part.Missing > 0);
        EndsInBlock = ends > 0;
        MayMove = !extent.IsUnclear && _parts.Count > 0 && ends <= 1 && !_parts.Exists(part => part.HasManyEnds) &&
            extent.Uses.TrueForAll(use => use.MayMove);
    }

    public IReadOnlyList<UsedExtent> Extents => _extents;

    public IReadOnlyList<ExtentPart> Parts => _parts;

    /// <summary>The bytes in use, unpacked, whole blocks.</summary>
    public long Length { get; private set; }

    /// <summary>Whether all that refers to the extents may be moved.</summary>
    public bool MayMove { get; }

    /// <summary>
    /// Whether files end inside the last block of a part. They share this block only with the end of another file: what is written
    /// ends there, too.
    /// </summary>
    public bool EndsInBlock { get; private set; }

    /// <summary>The group that it has become a part of.</summary>
    public ExtentGroup? Whole { get; private set; }

    public ExtentCompression Compression => _extents[0].Compression;

    public long DiskLength => _extents.Sum(extent => extent.DiskLength);

    /// <summary>How many extents there will be in their place, if there is room for large ones.</summary>
    public long ExtentsExpected
    {
        get
        {
            long largest = Compression == ExtentCompression.None ? LargestExtent : LargestCompressed;
            return (Length + largest - 1) / largest;
        }
    }

    /// <summary>
    /// The bytes that come free. Of compressed extents it is what their use lets expect: how small the rest becomes is known only
    /// when it is written.
    /// </summary>
    public long Gain(long blockSize) => _extents.Exists(extent => extent.IsUnclear) ? 0
        : Compression == ExtentCompression.None ? DiskLength - Length
        : DiskLength - _parts.GroupBy(part => part.Extent).Sum(parts => (long)Math.Ceiling(
            (double)parts.Key.DiskLength * parts.Sum(part => part.Length) / parts.Key.RamLength / blockSize) * blockSize);

    /// <summary>Takes the extents of another group, if that does not become too large.</summary>
    public bool TryTake(ExtentGroup other)
    {
        if (Length + other.Length > LargestExtent || (EndsInBlock && other.EndsInBlock))
        {
            return false;
        }

        _extents.AddRange(other._extents);
        _parts.AddRange(other._parts);
        Length += other.Length;
        EndsInBlock |= other.EndsInBlock;
        other.Whole = this;
        return true;
    }

    /// <summary>Each extent by itself.</summary>
    public IEnumerable<ExtentGroup> Split() => _extents.Select(extent => new ExtentGroup(extent));
}
