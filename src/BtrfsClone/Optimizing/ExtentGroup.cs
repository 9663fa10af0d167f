using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>Extents that are replaced together: one, or several of which parts are written consecutively, as the files use them.</summary>
internal sealed class ExtentGroup
{
    /// <summary>The maximum size of a written extent on btrfs (BTRFS_MAX_EXTENT_SIZE).</summary>
    private const long LargestExtent = 128L << 20;

    /// <summary>The maximum uncompressed size of a compressed one (BTRFS_MAX_UNCOMPRESSED).</summary>
    public const long LargestCompressed = 128L << 10;

    /// <summary>
    /// The maximum number of positions of a file, or of several, that are written to one extent. For each one the kernel reads the
    /// file's items starting as far before the position as it is behind the start of the extent (add_all_parents in
    /// fs/btrfs/backref.c): finding the owners of an extent with 10,000 of them took many seconds.
    /// </summary>
    private const int MostPlaces = 64;

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

    /// <summary>The bytes in use, uncompressed, in whole blocks.</summary>
    public long Length { get; private set; }

    /// <summary>Whether all references to the extents may be moved.</summary>
    public bool MayMove { get; }

    /// <summary>
    /// Whether files end inside the last block of a part. They only share this block with the end of another file: the new data
    /// also ends there.
    /// </summary>
    public bool EndsInBlock { get; private set; }

    /// <summary>The group that it was merged into.</summary>
    public ExtentGroup? Whole { get; private set; }

    public ExtentCompression Compression => _extents[0].Compression;

    public long DiskLength => _extents.Sum(extent => extent.DiskLength);

    /// <summary>
    /// The parts that are not written after another one, in the order in which they are written; each array goes to separate
    /// extents. A part that ends inside a block is the last.
    /// </summary>
    public IEnumerable<ExtentPart[]> Layout
    {
        get
        {
            List<ExtentPart> first = [.. _parts.Where(part => !part.IsNext)];
            first.Sort(static (one, other) => ExtentOwner.Compare(one.Uses[0].Owner, other.Uses[0].Owner));
            return first.Where(part => part.Last.Missing == 0).Concat(first.Where(part => part.Last.Missing > 0)).Chunk(MostPlaces);
        }
    }

    /// <summary>The expected number of new extents, if there is room for large ones.</summary>
    public long ExtentsExpected
    {
        get
        {
            long largest = Compression == ExtentCompression.None ? LargestExtent : LargestCompressed;
            return Layout.Sum(parts => (parts.Sum(part => part.JoinedLength) + largest - 1) / largest);
        }
    }

    /// <summary>
    /// The bytes that will be freed. For compressed extents this is estimated from the part in use: the compressed size of the rest
    /// is only known when it is written.
    /// </summary>
    public long Gain(long blockSize) => _extents.Exists(extent => extent.IsUnclear) ? 0
        : Compression == ExtentCompression.None ? DiskLength - Length
        : DiskLength - _parts.GroupBy(part => part.Extent).Sum(parts => (long)Math.Ceiling(
            (double)parts.Key.DiskLength * parts.Sum(part => part.Length) / parts.Key.RamLength / blockSize) * blockSize);

    /// <summary>Takes the extents of another group, if the result does not become too large.</summary>
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

    /// <summary>One group for each extent.</summary>
    public IEnumerable<ExtentGroup> Split() => _extents.Select(extent => new ExtentGroup(extent));
}
