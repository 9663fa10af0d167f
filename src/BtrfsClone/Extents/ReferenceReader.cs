using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>
/// Looks up the extents of a batch in the extent tree: sorted by disk address, with as many items per search as are likely to be
/// needed.
/// </summary>
internal sealed class ReferenceReader(TreeSearch search)
{
    private const uint MaxItems = 4096;

    private ulong[] _places = [];
    private int[] _order = [];

    // Kept between batches: the density of a file's extents on disk changes little.
    private uint _itemsAtOnce = 16;

    /// <summary>
    /// Fills in the reference counts of file extents on disk, and whether they are shared as far as the references show it.
    /// </summary>
    /// <param name="pieces">File extents of any files of one subvolume.</param>
    /// <param name="root">The subvolume.</param>
    public void Resolve(Span<TreePiece> pieces, ulong root)
    {
        int count = Sort(pieces);
        int next = 0;
        while (next < count)
        {
            int before = next;
            int found = search.Find(
                BtrfsKey.ExtentTree,
                new ItemKey(_places[next], BtrfsKey.ExtentItem, 0),
                new ItemKey(_places[count - 1], BtrfsKey.ExtentItem, ulong.MaxValue),
                _itemsAtOnce);
            ulong last = ulong.MaxValue;
            while (search.Next(out TreeSearchHeader header, out ReadOnlySpan<byte> item))
            {
                last = header.ObjectId;
                while (next < count && _places[next] < last)
                {
                    next++; // Not in the extent tree yet.
                }

                if (header.Type != BtrfsKey.ExtentItem || next == count || _places[next] != last)
                {
                    continue;
                }

                for (; next < count && _places[next] == last; next++)
                {
                    ref TreePiece piece = ref pieces[_order[next]];
                    if (!TreeItems.TryReadReferences(item, root, piece.Inode, out ulong references, out Sharing sharing))
                    {
                        throw search.Malformed();
                    }

                    if (header.Offset == (ulong)piece.Extent.RawDiskLength)
                    {
                        piece.Extent = piece.Extent with { RawReferenceCount = (long)references };
                        piece.Sharing = sharing;
                    }
                }
            }

            if (found == 0)
            {
                return;
            }

            bool dense = (next - before) * 4L >= found;
            _itemsAtOnce = dense ? Math.Min(_itemsAtOnce * 4, MaxItems) : Math.Max(_itemsAtOnce / 4, 1);
            if (next == before)
            {
                next++; // Its key was passed, so it does not exist.
            }
        }
    }

    private int Sort(Span<TreePiece> pieces)
    {
        if (_places.Length < pieces.Length)
        {
            _places = new ulong[pieces.Length];
            _order = new int[pieces.Length];
        }

        int count = 0;
        bool sorted = true;
        for (int i = 0; i < pieces.Length; i++)
        {
            if (pieces[i].Extent.RawDiskOffset > 0)
            {
                _places[count] = (ulong)pieces[i].Extent.RawDiskOffset;
                _order[count] = i;
                sorted &= count == 0 || _places[count - 1] <= _places[count];
                count++;
            }
        }

        if (!sorted)
        {
            Array.Sort(_places, _order, 0, count);
        }

        return count;
    }
}
