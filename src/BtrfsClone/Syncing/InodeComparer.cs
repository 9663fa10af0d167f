using BtrfsClone.Cloning;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>What two inodes have not in common.</summary>
[Flags]
internal enum InodeDifference
{
    /// <summary>Nothing that a clone keeps differs.</summary>
    None = 0,

    /// <summary>Owner, mode, modification time, flags or xattrs.</summary>
    Metadata = 1,

    /// <summary>Size or extents, a link's target, or the device of a node.</summary>
    Content = 2,

    /// <summary>One is a file, say, and the other a directory.</summary>
    Type = 4,

    /// <summary>
    /// Files store their data in another way, NOCOW or compressed: one cannot get the other's where it is.
    /// </summary>
    Storage = 8,

    /// <summary>
    /// The flags in the trees differ. The kernel sets NOCOMPRESS while it writes out and need not write the inode for it, so
    /// that only FS_IOC_GETFLAGS tells what they are: whether <see cref="Metadata"/> and <see cref="Storage"/> differ.
    /// </summary>
    WrittenFlags = 16,
}

/// <summary>
/// Compares inodes that are no directories by their items in the trees of one filesystem. Extents that lie in the same places hold the same
/// bytes, so that nothing is opened and nothing is read. Access times do not count, nor do numbers of links.
/// </summary>
/// <remarks>
/// Both sides are read one after the other. A place that the source has left in between, and that was given to the destination
/// anew, looks the same then: that takes a commit and changes on both sides meanwhile, which are later than the mark, so that
/// the same sync's next round, or the next sync, looks at both files again.
/// </remarks>
internal sealed class InodeComparer
{
    // An xattr is kept as a name of a directory is.
    private const int XattrTransidOffset = DirectoryItem.TransidOffset;
    private const int XattrTransidEnd = XattrTransidOffset + sizeof(ulong);
    private const int XattrNameOffset = DirectoryItem.Size;
    private const int ExtentGenerationEnd = sizeof(ulong); // struct btrfs_file_extent_item begins with its generation.

    private const long InlinePlace = long.MaxValue;

    private readonly InodeCursor _source = new();
    private readonly InodeCursor _destination = new();
    private (ulong Source, ulong Destination) _devices;
    private InodeState _sourceState;
    private InodeState _destinationState;

    public InodeState SourceState => _sourceState;

    public InodeState DestinationState => _destinationState;

    /// <summary>Goes on with what is in a pair of directories.</summary>
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

    /// <summary>Says which inodes will be compared: numbers in ascending order.</summary>
    public void Expect(List<ulong> source, List<ulong> destination)
    {
        _source.Expect(source);
        _destination.Expect(destination);
    }

    /// <summary>What was read is out of date.</summary>
    public void Forget() => _devices = default;

    /// <summary>Compares two inodes. Null where one is not there (any more, or not yet committed).</summary>
    /// <param name="source">The source's number.</param>
    /// <param name="destination">The destination's number.</param>
    /// <param name="check">Whether extents are looked at.</param>
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

        // A file of another time is another file by its time: its extents tell whether only the time is another.
        bool looksAtExtents = type == Sys.ModeSymlink || (type == Sys.ModeRegular &&
            (check == SyncCheck.Extent || _sourceState.ModifyTime != _destinationState.ModifyTime));
        if (looksAtExtents && (found & InodeDifference.Content) == 0)
        {
            found |= HaveSameExtents(more, otherMore) ? 0 : InodeDifference.Content;
        }

        return found;
    }

    /// <summary>
    /// Whether two files lie in one extent each, and not in the same: then all of the source is shared anew when it is cloned
    /// over the other, as it mostly is.
    /// </summary>
    /// <param name="source">The source's number.</param>
    /// <param name="destination">The destination's number.</param>
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

            // The mark of a sync is no part of what is synced.
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

            // The key is a checksum of the name, so that both have the same order.
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

            // All but the generation: an inline extent ends with its bytes, another with its place.
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
