using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>
/// The file extents of a file from the EXTENT_DATA items of its subvolume's tree, without references: only the address of each file
/// extent. Delayed data is not included.
/// </summary>
internal sealed class ItemSource : IExtentSource
{
    private readonly TreeSearch _search = new();
    private ulong _inode;
    private long _position;
    private bool _isFound;

    /// <summary>Starts a file. Fails if the tree cannot be read.</summary>
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

            // The start of an item may move between two searches.
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
