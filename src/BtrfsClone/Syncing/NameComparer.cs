using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>
/// Compares the names in two directories by their DIR_ITEM items, whose keys are checksums of the names: both sides have the same
/// order, so two directories of any size are read in parallel, with constant memory.
/// </summary>
/// <param name="top">The top directories, open: the directories are in their subvolumes.</param>
internal sealed class NameComparer(SyncPair top)
{
    private readonly InodeCursor _source = InodeCursor.In(top.Source, top.SourcePath);
    private readonly InodeCursor _destination = InodeCursor.In(top.Destination, top.DestinationPath);

    /// <summary>Finds the names that exist on one side only, or refer to another entry than before.</summary>
    /// <param name="pair">The directories.</param>
    /// <param name="sourceSince">The last transaction whose changes at the source are known.</param>
    /// <param name="destinationSince">The same for the destination.</param>
    /// <param name="onOther">Receives a name of the source that has to be examined.</param>
    /// <param name="onExtra">Receives a name that the source does not have.</param>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public void Compare(
        SyncPair pair, ulong sourceSince, ulong destinationSince, Action<FileName> onOther, Action<FileName> onExtra)
    {
        _source.Seek(pair.SourceStatus.Inode, BtrfsKey.DirectoryItem, BtrfsKey.DirectoryItem);
        _destination.Seek(pair.DestinationStatus.Inode, BtrfsKey.DirectoryItem, BtrfsKey.DirectoryItem);
        bool more = _source.MoveNext();
        bool otherMore = _destination.MoveNext();
        while (more || otherMore)
        {
            int order = !otherMore ? -1 : !more ? 1 : _source.Header.Offset.CompareTo(_destination.Header.Offset);
            ReadOnlySpan<byte> names = order <= 0 ? _source.Item : default;
            ReadOnlySpan<byte> others = order >= 0 ? _destination.Item : default;

            // Several names can have the same checksum.
            for (ReadOnlySpan<byte> rest = names; Take(_source, ref rest, out DirectoryItem item, out ReadOnlySpan<byte> name);)
            {
                bool isKnown = TryFind(_destination, others, name, out DirectoryItem other) && item.Transid <= sourceSince &&
                    other.Transid <= destinationSince && !item.IsSubvolume && !other.IsSubvolume;
                if (!isKnown)
                {
                    onOther(new FileName(name));
                }
            }

            for (ReadOnlySpan<byte> rest = others; Take(_destination, ref rest, out _, out ReadOnlySpan<byte> name);)
            {
                if (!TryFind(_source, names, name, out _))
                {
                    onExtra(new FileName(name));
                }
            }

            more = order <= 0 ? _source.MoveNext() : more;
            otherMore = order >= 0 ? _destination.MoveNext() : otherMore;
        }
    }

    private static bool TryFind(InodeCursor cursor, ReadOnlySpan<byte> names, ReadOnlySpan<byte> name, out DirectoryItem item)
    {
        while (Take(cursor, ref names, out item, out ReadOnlySpan<byte> other))
        {
            if (other.SequenceEqual(name))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Take(InodeCursor cursor, ref ReadOnlySpan<byte> rest, out DirectoryItem item, out ReadOnlySpan<byte> name)
    {
        item = default;
        name = default;
        return rest.Length > 0 && (DirectoryItem.TryTake(ref rest, out item, out name) ? true : throw cursor.Malformed());
    }
}
