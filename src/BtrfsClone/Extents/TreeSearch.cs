using System.Runtime.CompilerServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>BTRFS_IOC_TREE_SEARCH_V2 with one buffer: a search, then its items one after another.</summary>
internal sealed unsafe class TreeSearch
{
    // An item is at most as long as a leaf, 64 KiB. A much larger buffer gains nothing: the kernel touches the rest of the buffer
    // before each leaf (fault_in_subpage_writeable in search_ioctl, fs/btrfs/ioctl.c).
    private const int ItemBytes = 128 << 10;
    private const int LargestItem = 64 << 10;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(
        sizeof(TreeSearchRequest) + ItemBytes, pinned: true);

    private Descriptor _file;
    private int _position;
    private uint _left;

    /// <summary>The path to use in error messages.</summary>
    public string Path { get; private set; } = "";

    private TreeSearchRequest* Request => (TreeSearchRequest*)Unsafe.AsPointer(ref _buffer[0]);

    public void Start(Descriptor file, string path)
    {
        _file = file;
        Path = path;
        _left = 0;
    }

    /// <summary>Searches for items whose keys are between two. Returns how many were found; 0 means that there are no more.</summary>
    /// <param name="tree">The tree's id, or 0 for the file's subvolume.</param>
    /// <param name="min">The lowest key.</param>
    /// <param name="max">The highest key.</param>
    /// <param name="count">The maximum number of items.</param>
    /// <param name="minTransid">Only items in leaves that were written by this transaction or a later one.</param>
    public CallResult TryFind(ulong tree, in ItemKey min, in ItemKey max, uint count, ulong minTransid = 0)
    {
        *Request = new TreeSearchRequest
        {
            TreeId = tree,
            MinObjectId = min.ObjectId,
            MaxObjectId = max.ObjectId,
            MinType = min.Type,
            MaxType = max.Type,
            MinOffset = min.Offset,
            MaxOffset = max.Offset,
            MinTransid = minTransid,
            MaxTransid = ulong.MaxValue,
            ItemCount = count,
            BufferSize = ItemBytes,
        };
        CallResult result = Sys.TreeSearch(_file, Request);
        _position = sizeof(TreeSearchRequest);
        _left = result.Failed ? 0 : Math.Min(Request->ItemCount, count);
        return result.Failed ? result : CallResult.Count(_left);
    }

    /// <summary>As <see cref="TryFind"/>, but a failure is thrown as an exception.</summary>
    public int Find(ulong tree, in ItemKey min, in ItemKey max, uint count, ulong minTransid = 0)
    {
        CallResult found = TryFind(tree, min, max, count, minTransid);
        return found.Succeeded ? (int)found.Value : throw BtrfsException.FromErrno(found.Error, SystemCall.TreeSearch, Path);
    }

    /// <summary>
    /// Whether the last search, all of whose items were read, ended because the buffer was full. Otherwise it has found everything:
    /// the kernel only stops before an item that does not fit.
    /// </summary>
    public bool MayHaveMore => _position - sizeof(TreeSearchRequest) > ItemBytes - LargestItem - sizeof(TreeSearchHeader);

    /// <summary>Reads the next item of the last search.</summary>
    public bool Next(out TreeSearchHeader header, out ReadOnlySpan<byte> item)
    {
        if (_left == 0)
        {
            header = default;
            item = default;
            return false;
        }

        ReadOnlySpan<byte> rest = _buffer.AsSpan(_position);
        if (!TreeItems.TryTake(rest, out header, out item))
        {
            throw Malformed();
        }

        _position += sizeof(TreeSearchHeader) + item.Length;
        _left--;
        return true;
    }

    /// <summary>Moves the key from which a search continues behind an item. False if the item is before it.</summary>
    public static bool TryGoOn(in TreeSearchHeader header, ref ItemKey from)
    {
        var key = new ItemKey(header.ObjectId, header.Type, header.Offset);
        bool isOnward = key.CompareTo(from) >= 0;
        from = key.Next;
        return isOnward;
    }

    /// <summary>The error for a malformed item.</summary>
    public BtrfsException Malformed() => BtrfsException.FromErrno(Errno.EPROTO, SystemCall.TreeSearch, Path);
}

/// <summary>A key of an item in a btrfs tree; keys are ordered by these three fields in turn.</summary>
internal readonly record struct ItemKey(ulong ObjectId, uint Type, ulong Offset) : IComparable<ItemKey>
{
    /// <summary>The next higher key. A key's type is one byte.</summary>
    public ItemKey Next => Offset < ulong.MaxValue ? this with { Offset = Offset + 1 }
        : Type < byte.MaxValue ? new ItemKey(ObjectId, Type + 1, 0)
        : new ItemKey(ObjectId + 1, 0, 0);

    public int CompareTo(ItemKey other)
    {
        int order = ObjectId.CompareTo(other.ObjectId);
        order = order != 0 ? order : Type.CompareTo(other.Type);
        return order != 0 ? order : Offset.CompareTo(other.Offset);
    }
}
