using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>
/// The pieces of a file as the EXTENT_DATA items of its subvolume's tree have them, without what others refer to: where
/// each piece lies, and nothing more. What is delayed is not there.
/// </summary>
internal sealed class ItemSource : IExtentSource
{
    private readonly TreeSearch _search = new();
    private ulong _inode;
    private long _position;
    private bool _isFound;

    /// <summary>Begins with a file. Returns a negative errno where the tree cannot be read.</summary>
    public int Start(int descriptor, string path, ulong inode)
    {
        _search.Start(descriptor, path);
        (_inode, _position) = (inode, 0);
        int result = Find();
        _isFound = result >= 0;
        return result;
    }

    /// <inheritdoc/>
    public bool Fill(ExtentBatch batch)
    {
        if (!_isFound)
        {
            return false;
        }

        while (_search.Next(out TreeSearchHeader header, out ReadOnlySpan<byte> item))
        {
            if (header.ObjectId != _inode || header.Type != BtrfsKey.ExtentData ||
                !TreeItems.TryReadFileExtent(item, header.Offset, out FileExtent extent))
            {
                throw _search.Malformed();
            }

            // Between two searches an item may have grown at its front.
            if (extent.Kind != ExtentKind.Hole && extent.End > _position)
            {
                batch.Add(extent.Offset < _position ? extent.Part(_position, extent.End) : extent);
            }

            _position = Math.Max(_position, extent.End);
        }

        _isFound = _search.MayHaveMore;
        if (_isFound && Find() is int result and < 0)
        {
            throw BtrfsException.FromErrno(-result, Sys.TreeSearchCall, _search.Path);
        }

        return true;
    }

    private int Find() => _search.TryFind(
        0,
        new ItemKey(_inode, BtrfsKey.ExtentData, (ulong)_position),
        new ItemKey(_inode, BtrfsKey.ExtentData, ulong.MaxValue),
        uint.MaxValue);
}
