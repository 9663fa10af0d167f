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

    /// <summary>Begins with a file. Fails where the tree cannot be read.</summary>
    public CallResult Start(Descriptor file, string path, ulong inode)
    {
        _search.Start(file, path);
        (_inode, _position) = (inode, 0);
        CallResult found = Find();
        _isFound = found.Succeeded;
        return found;
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
        if (_isFound && Find() is { Failed: true } failed)
        {
            throw BtrfsException.FromErrno(failed.Error, SystemCall.TreeSearch, _search.Path);
        }

        return true;
    }

    private CallResult Find() => _search.TryFind(
        0,
        new ItemKey(_inode, BtrfsKey.ExtentData, (ulong)_position),
        new ItemKey(_inode, BtrfsKey.ExtentData, ulong.MaxValue),
        uint.MaxValue);
}
