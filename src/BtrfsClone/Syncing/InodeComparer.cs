using BtrfsClone.Cloning;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>The differences between two inodes.</summary>
[Flags]
internal enum InodeDifference
{
    /// <summary>Nothing that a clone preserves differs.</summary>
    None = 0,

    /// <summary>Owner, mode, modification time, flags or xattrs.</summary>
    Metadata = 1,

    /// <summary>Size or extents, a link's target, or the device number of a device node.</summary>
    Content = 2,

    /// <summary>Different types, such as a file and a directory.</summary>
    Type = 4,

    /// <summary>Different storage of file data, NOCOW or compressed: one file cannot get the other's in place.</summary>
    Storage = 8,

    /// <summary>
    /// The flags in the trees differ. The kernel sets NOCOMPRESS during writeback and need not write the inode for it, so only
    /// FS_IOC_GETFLAGS returns the actual flags, and with them whether <see cref="Metadata"/> and <see cref="Storage"/> differ.
    /// </summary>
    WrittenFlags = 16,
}

/// <summary>
/// Compares inodes that are not directories by their items in the trees of one filesystem. Extents with equal addresses contain
/// equal data, so nothing is opened and no data is read. Access times and link counts are ignored.
/// </summary>
/// <remarks>
/// The sides are read one after the other. If the source frees an address in between, and it is reallocated to the destination, it
/// looks equal: this requires a commit and changes on both sides in the meantime, which are later than the mark, so the same sync's
/// next round, or the next sync, examines both files again.
/// </remarks>
internal sealed class InodeComparer
{
    // An xattr is stored like a name in a directory.
    private const int XattrTransidOffset = DirectoryItem.TransidOffset;
    private const int XattrTransidEnd = XattrTransidOffset + sizeof(ulong);
    private const int XattrNameOffset = DirectoryItem.Size;
    private const int ExtentGenerationEnd = sizeof(ulong); // struct btrfs_file_extent_item starts with its generation.

    private const long InlinePlace = long.MaxValue;

    private readonly InodeCursor _source = new();
    private readonly InodeCursor _destination = new();
    private (ulong Source, ulong Destination) _devices;
    private InodeState _sourceState;
    private InodeState _destinationState;

    public InodeState SourceState => _sourceState;

    public InodeState DestinationState => _destinationState;

    /// <summary>Continues with the entries of a pair of directories.</summary>
    public void Use(DirectoryPair pair)
    {
        (ulong, ulong) devices = (pair.SourceStatus.Device, pair.DestinationStatus.Device);
        if (devices == _devices)
        {
            _source.Use(pair.Source);
            _destination.Use(pair.Destination);
        }
        else
        {
            _devices = devices;
            _source.Start(pair.Source, "");
            _destination.Start(pair.Destination, "");
            Expect([], []);
        }
    }

    /// <summary>Announces the inodes that will be compared: numbers in ascending order.</summary>
    public void Expect(List<ulong> source, List<ulong> destination)
    {
        _source.Expect(source);
        _destination.Expect(destination);
    }

    /// <summary>Discards what was read.</summary>
    public void Forget() => _devices = default;

    /// <summary>Compares two inodes. Null if one does not exist (any more, or is not committed yet).</summary>
    /// <param name="source">The source's inode number.</param>
    /// <param name="destination">The destination's inode number.</param>
    /// <param name="check">Whether extents are compared.</param>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public InodeDifference? Compare(ulong source, ulong destination, SyncCheck check)
    {
        _source.Seek(source);
        _destination.Seek(destination);
        if (!TryReadState(_source, out _sourceState) || !TryReadState(_destination, out _destinationState))
        {
            return null;
        }

        uint type = _sourceState.Mode & Sys.ModeTypeMask;
        if (type != (_destinationState.Mode & Sys.ModeTypeMask))
        {
            return InodeDifference.Type;
        }

        InodeDifference found = _sourceState.HasMetadataOf(_destinationState) ? 0 : InodeDifference.Metadata;
        found |= _sourceState.Device != _destinationState.Device ||
            _sourceState.Length != _destinationState.Length ? InodeDifference.Content : 0;
        found |= _sourceState.HasFlagsOf(_destinationState) ? 0 : InodeDifference.WrittenFlags;
        bool more = _source.MoveTo(BtrfsKey.XattrItem);
        bool otherMore = _destination.MoveTo(BtrfsKey.XattrItem);
        found |= HaveSameXattrs(ref more, ref otherMore) ? 0 : InodeDifference.Metadata;

        // With different times, files are different by time: their extents determine whether only the time differs.
        bool looksAtExtents = type == Sys.ModeSymlink || (type == Sys.ModeRegular &&
            (check == SyncCheck.Extent || _sourceState.ModifyTime != _destinationState.ModifyTime));
        if (looksAtExtents && (found & InodeDifference.Content) == 0)
        {
            found |= HaveSameExtents(more, otherMore) ? 0 : InodeDifference.Content;
        }

        return found;
    }

    /// <summary>
    /// Whether two files consist of one extent each, at different addresses: then all of the source is newly shared when it
    /// replaces the other, which is the common case.
    /// </summary>
    /// <param name="source">The source's inode number.</param>
    /// <param name="destination">The destination's inode number.</param>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public bool LieApart(ulong source, ulong destination) =>
        TryReadOnlyExtent(_source, source, out long place) &&
        TryReadOnlyExtent(_destination, destination, out long other) && (place != other || place == InlinePlace);

    private static bool TryReadOnlyExtent(InodeCursor cursor, ulong inode, out long place)
    {
        place = 0;
        cursor.Seek(inode);
        if (!cursor.MoveTo(BtrfsKey.ExtentData) || cursor.Header.Type != BtrfsKey.ExtentData)
        {
            return false;
        }

        if (!TreeItems.TryReadFileExtent(cursor.Item, cursor.Header.Offset, out FileExtent piece))
        {
            return false;
        }

        place = piece.Kind == ExtentKind.Inline ? InlinePlace : piece.RawDiskOffset;
        return place > 0 && !(cursor.MoveNext() && cursor.Header.Type == BtrfsKey.ExtentData);
    }

    private bool HaveSameXattrs(ref bool more, ref bool otherMore)
    {
        bool same = true;
        while (true)
        {
            bool isXattr = more && _source.Header.Type == BtrfsKey.XattrItem;
            bool otherIsXattr = otherMore && _destination.Header.Type == BtrfsKey.XattrItem;
            if (!isXattr && !otherIsXattr)
            {
                return same;
            }

            // The mark of a sync is not itself synced.
            if (isXattr && IsMark(_source.Item))
            {
                more = _source.MoveNext();
                continue;
            }

            if (otherIsXattr && IsMark(_destination.Item))
            {
                otherMore = _destination.MoveNext();
                continue;
            }

            if (otherIsXattr && _sourceState.IsCompressed && IsNamed(_destination.Item, CompressionProperty.Xattr) &&
                !(isXattr && IsNamed(_source.Item, CompressionProperty.Xattr)))
            {
                otherMore = _destination.MoveNext();
                continue;
            }

            // The key is a checksum of the name, so both sides have the same order.
            same &= isXattr && otherIsXattr && _source.Header.Offset == _destination.Header.Offset &&
                IsSameXattr(_source.Item, _destination.Item);
            more = isXattr ? _source.MoveNext() : more;
            otherMore = otherIsXattr ? _destination.MoveNext() : otherMore;
        }
    }

    private static bool IsMark(ReadOnlySpan<byte> xattr) => IsNamed(xattr, SyncMark.Name[..^1]);

    private static bool IsNamed(ReadOnlySpan<byte> xattr, ReadOnlySpan<byte> name) =>
        xattr.Length > XattrNameOffset && xattr[XattrNameOffset..].StartsWith(name);

    private static bool IsSameXattr(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other) =>
        one.Length == other.Length && one.Length >= XattrTransidEnd &&
        one[..XattrTransidOffset].SequenceEqual(other[..XattrTransidOffset]) &&
        one[XattrTransidEnd..].SequenceEqual(other[XattrTransidEnd..]);

    private bool HaveSameExtents(bool more, bool otherMore)
    {
        more = more && (_source.Header.Type == BtrfsKey.ExtentData || _source.MoveTo(BtrfsKey.ExtentData));
        otherMore = otherMore && (_destination.Header.Type == BtrfsKey.ExtentData || _destination.MoveTo(BtrfsKey.ExtentData));
        while (true)
        {
            bool isExtent = more && _source.Header.Type == BtrfsKey.ExtentData;
            bool otherIsExtent = otherMore && _destination.Header.Type == BtrfsKey.ExtentData;
            if (!isExtent || !otherIsExtent)
            {
                return isExtent == otherIsExtent;
            }

            // Everything except the generation: an inline extent ends with its data, any other one with its address.
            ReadOnlySpan<byte> item = _source.Item;
            ReadOnlySpan<byte> other = _destination.Item;
            if (_source.Header.Offset != _destination.Header.Offset || item.Length < ExtentGenerationEnd ||
                other.Length < ExtentGenerationEnd ||
                !item[ExtentGenerationEnd..].SequenceEqual(other[ExtentGenerationEnd..]))
            {
                return false;
            }

            more = _source.MoveNext();
            otherMore = _destination.MoveNext();
        }
    }

    private static bool TryReadState(InodeCursor cursor, out InodeState state)
    {
        state = default;
        return cursor.MoveNext() && cursor.Header.Type == BtrfsKey.InodeItem &&
            (InodeState.TryRead(cursor.Item, out state) ? true : throw cursor.Malformed());
    }
}
