using System.Runtime.CompilerServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>BTRFS_IOC_TREE_SEARCH_V2 in one buffer: a search, then its items one after another.</summary>
internal sealed unsafe class TreeSearch
{
    // An item is at most a leaf long, 64 KiB. Much more than this gains nothing: the kernel touches all that is left
    // of the buffer before each leaf (fault_in_subpage_writeable in search_ioctl, fs/btrfs/ioctl.c).
    private const int ItemBytes = 128 << 10;
    private const int LargestItem = 64 << 10;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(
        sizeof(TreeSearchRequest) + ItemBytes, pinned: true);

    private Descriptor _file;
    private int _position;
    private uint _left;

    /// <summary>What to call the file in errors.</summary>
    public string Path { get; private set; } = "";

    private TreeSearchRequest* Request => (TreeSearchRequest*)Unsafe.AsPointer(ref _buffer[0]);

    public void Start(Descriptor file, string path)
    {
        _file = file;
        Path = path;
        _left = 0;
    }

    /// <summary>
    /// Looks for items whose keys lie between two. Returns how many came; 0 means that there are no more.
    /// </summary>
    /// <param name="tree">The tree's id, or 0 for the file's subvolume.</param>
    /// <param name="min">The least key.</param>
    /// <param name="max">The greatest key.</param>
    /// <param name="count">The most items wanted.</param>
    /// <param name="minTransid">Only of leaves that this transaction, or a later one, has written.</param>
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

    /// <summary>As <see cref="TryFind"/>, but a failure is an exception.</summary>
    public int Find(ulong tree, in ItemKey min, in ItemKey max, uint count, ulong minTransid = 0)
    {
        CallResult found = TryFind(tree, min, max, count, minTransid);
        return found.Succeeded ? (int)found.Value : throw BtrfsException.FromErrno(found.Error, SystemCall.TreeSearch, Path);
    }

    /// <summary>
    /// Whether the last search, all of whose items are taken, ended for want of room. Otherwise it has found all that
    /// there is: the kernel stops only before an item that does not fit.
    /// </summary>
    public bool MayHaveMore => _position - sizeof(TreeSearchRequest) > ItemBytes - LargestItem - sizeof(TreeSearchHeader);

    /// <summary>Takes the next item of the last search.</summary>
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

    /// <summary>Moves the key that a search goes on from behind an item. False if the item lies before it.</summary>
    public static bool TryGoOn(in TreeSearchHeader header, ref ItemKey from)
    {
        var key = new ItemKey(header.ObjectId, header.Type, header.Offset);
        bool isOnward = key.CompareTo(from) >= 0;
        from = key.Next;
        return isOnward;
    }

    /// <summary>The error for an item that is not as the format says.</summary>
    public BtrfsException Malformed() => BtrfsException.FromErrno(Errno.EPROTO, SystemCall.TreeSearch, Path);
}

/// <summary>A key of an item in a btrfs tree; keys are ordered by these three in turn.</summary>
internal readonly record struct ItemKey(ulong ObjectId, uint Type, ulong Offset) : IComparable<ItemKey>
{
    /// <summary>The least key that is greater. A key's type is one byte.</summary>
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
