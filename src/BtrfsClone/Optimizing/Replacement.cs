using BtrfsClone.Extents;

namespace BtrfsClone.Optimizing;

/// <summary>What is to be written in the place of an extent: what of it is in use, one part after the other.</summary>
internal sealed class Replacement
{
    private readonly List<(long Start, long End, long At)> _parts = [];

    /// <param name="extent">The extent, with all its uses.</param>
    public Replacement(UsedExtent extent)
    {
        Extent = extent;
        long at = 0;
        foreach (ExtentUse use in extent.Uses)
        {
            if (_parts.Count == 0 || use.ExtentOffset > _parts[^1].End)
            {
                _parts.Add((use.ExtentOffset, use.ExtentEnd, at));
                at += use.Length;
            }
            else if (use.ExtentEnd > _parts[^1].End)
            {
                at += use.ExtentEnd - _parts[^1].End;
                _parts[^1] = _parts[^1] with { End = use.ExtentEnd };
            }
        }

        Length = at;
        MayReplace = !extent.IsUnclear && extent.Uses.Count > 0 && CutEnd();
    }

    public UsedExtent Extent { get; }

    /// <summary>The bytes in use, unpacked, whole blocks.</summary>
    public long Length { get; }

    /// <summary>Whether the files that use its last block end inside of that.</summary>
    public bool EndsInBlock { get; private set; }

    /// <summary>Whether all that refers to the extent may be moved.</summary>
    public bool MayReplace { get; }

    /// <summary>
    /// The bytes that come free. Of a compressed extent it is what its use lets expect: how small the rest becomes is known only
    /// when it is written.
    /// </summary>
    public long Gain(long blockSize)
    {
        long needed = Extent.Compression == ExtentCompression.None
            ? Length
            : (long)Math.Ceiling((double)Extent.DiskLength * Length / Extent.RamLength / blockSize) * blockSize;
        return Extent.IsUnclear ? 0 : Extent.DiskLength - needed;
    }

    /// <summary>Where a place in the extent is in what is written.</summary>
    public long PlaceOf(long extentOffset)
    {
        int index = _parts.BinarySearch((extentOffset, long.MaxValue, 0));
        (long start, _, long at) = _parts[~index - 1];
        return at + extentOffset - start;
    }

    /// <summary>
    /// A file that ends inside a block shares this block only with the end of another one: what is written ends there, too.
    /// False where the uses do not agree in that, or one of them may not be moved.
    /// </summary>
    private bool CutEnd()
    {
        long end = _parts[^1].End;
        long cut = -1;
        foreach (ExtentUse use in Extent.Uses)
        {
            long missing = use.Length - use.Content;
            if (!use.MayMove || (missing > 0 && use.ExtentEnd != end) || (use.ExtentEnd == end && cut >= 0 && cut != missing))
            {
                return false;
            }

            cut = use.ExtentEnd == end ? missing : cut;
        }

        EndsInBlock = cut > 0;
        return true;
    }
}
