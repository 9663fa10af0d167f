using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>Determines what the mark of two directories would be now, and which transaction was committed last.</summary>
/// <param name="options">The options that determine what is made equal.</param>
internal sealed class MarkKeeper(SyncOptions options)
{
    private readonly TreeSearch _search = new();

    /// <summary>
    /// Writes dirty data to disk, commits, and returns the mark for everything committed by then. Null if it cannot be determined:
    /// without btrfs, or if the trees may not be read, everything is examined each time.
    /// </summary>
    public SyncMark? Commit(SyncPair top)
    {
        _search.Start(top.Source, top.SourcePath);
        if (Sys.SyncFileSystem(top.Source).Failed || !TryReadCommitted(out ulong committed) ||
            !TryIdentify(top.Source, out Guid source) || !TryIdentify(top.Destination, out Guid destination))
        {
            return null;
        }

        return new SyncMark(
            source, top.SourceStatus.Inode, committed, destination, top.DestinationStatus.Inode, committed, Rules());
    }

    /// <summary>
    /// The last committed transaction: each commit writes the extent tree. Later changes belong to a later transaction, since
    /// nothing can be added to a transaction during its commit.
    /// </summary>
    private bool TryReadCommitted(out ulong generation)
    {
        generation = 0;
        CallResult found = _search.TryFind(
            BtrfsKey.RootTree,
            new ItemKey(BtrfsKey.ExtentTree, BtrfsKey.RootItem, 0),
            new ItemKey(BtrfsKey.ExtentTree, BtrfsKey.RootItem, ulong.MaxValue),
            count: 1);
        return found.Value > 0 && _search.Next(out _, out ReadOnlySpan<byte> item) &&
            TreeItems.TryReadRoot(item, out generation, out _);
    }

    private static bool TryIdentify(Descriptor directory, out Guid id)
    {
        bool isKnown = !Sys.SubvolumeInfo(directory, out ulong tree, out id).Failed;
        if (!isKnown || id != Guid.Empty)
        {
            return isKnown;
        }

        // A subvolume of an old filesystem has no UUID: there, its tree id is used.
        isKnown = !Sys.BtrfsFsid(directory, out Guid filesystem).Failed;
        Span<byte> text = stackalloc byte[16];
        filesystem.TryWriteBytes(text);
        BinaryPrimitives.WriteUInt64LittleEndian(text, BinaryPrimitives.ReadUInt64LittleEndian(text) ^ tree);
        id = new Guid(text);
        return isKnown;
    }

    private ulong Rules()
    {
        string rules = $"{options.Delete} {options.Check} {options.Reflink}\0{options.FilterText}";
        return XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(rules));
    }
}
