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

    private int _descriptor;
    private int _position;
    private uint _left;

    /// <summary>What to call the file in errors.</summary>
    public string Path { get; private set; } = "";

    private TreeSearchRequest* Request => (TreeSearchRequest*)Unsafe.AsPointer(ref _buffer[0]);

    public void Start(int descriptor, string path)
    {
        _descriptor = descriptor;
        Path = path;
        _left = 0;
    }

    /// <summary>
    /// Looks for items whose keys lie between two. Returns how many came, or a negative errno; 0 means that there are
    /// no more.
    /// </summary>
    /// <param name="tree">The tree's id, or 0 for the file's subvolume.</param>
    /// <param name="min">The least key.</param>
    /// <param name="max">The greatest key.</param>
    /// <param name="count">The most items wanted.</param>
    public int TryFind(ulong tree, in ItemKey min, in ItemKey max, uint count)
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
            MaxTransid = ulong.MaxValue,
            ItemCount = count,
            BufferSize = ItemBytes,
        };
        int result = Sys.TreeSearch(_descriptor, Request);
        _position = sizeof(TreeSearchRequest);
        _left = result < 0 ? 0 : Math.Min(Request->ItemCount, count);
        return result < 0 ? result : (int)_left;
    }

    /// <summary>As <see cref="TryFind"/>, but a failure is an exception.</summary>
    public int Find(ulong tree, in ItemKey min, in ItemKey max, uint count)
    {
        int result = TryFind(tree, min, max, count);
        return result >= 0 ? result : throw BtrfsException.FromErrno(-result, Sys.TreeSearchCall, Path);
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

    /// <summary>The error for an item that is not as the format says.</summary>
    public BtrfsException Malformed() => new(BtrfsError.IOError, Path, Errno.EUCLEAN, Sys.TreeSearchCall);
}

/// <summary>A key of an item in a btrfs tree; keys are ordered by these three in turn.</summary>
internal readonly record struct ItemKey(ulong ObjectId, uint Type, ulong Offset);
