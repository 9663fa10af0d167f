using System.Runtime.CompilerServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>
/// The items of inodes in a subvolume's tree: of one inode at a time, while one call also reads those of the following inodes.
/// Requests in the order of inode numbers, which is the usual order of the files of a directory, take one call for some hundred
/// files. Uncommitted changes may be missing. Requires CAP_SYS_ADMIN.
/// </summary>
internal sealed unsafe class InodeCursor
{
    private const int ItemBytes = 128 << 10;
    private const int LargestItem = 64 << 10;

    // Skipping this many inodes costs less than another call.
    private const ulong MostPassedOver = 4;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(
        sizeof(TreeSearchRequest) + ItemBytes, pinned: true);

    // The window: for each inode in the buffer, the position of its first item.
    private readonly List<(ulong Inode, int Position)> _inodes = [];
    private Descriptor _file;
    private ulong _tree;
    private List<ulong>? _expected;
    private string _path = "";
    private uint _lastType = uint.MaxValue;
    private ulong _first;
    private ulong _last;
    private ulong _inode;
    private int _position;
    private int _end;
    private bool _isWhole;

    private TreeSearchRequest* Request => (TreeSearchRequest*)Unsafe.AsPointer(ref _buffer[0]);

    /// <summary>A cursor that stays in one subvolume.</summary>
    /// <param name="file">An open file or directory.</param>
    /// <param name="path">The path to use in error messages.</param>
    public static InodeCursor In(Descriptor file, string path)
    {
        var cursor = new InodeCursor();
        cursor.Start(file, path);
        return cursor;
    }

    /// <summary>Starts a subvolume.</summary>
    /// <param name="file">An open file or directory.</param>
    /// <param name="path">The path to use in error messages.</param>
    /// <param name="tree">The subvolume's id; 0 for the one that the open file belongs to.</param>
    public void Start(Descriptor file, string path, ulong tree = 0)
    {
        (_file, _path, _tree) = (file, path, tree);
        _expected = null;
        Empty();
    }

    /// <summary>Continues with another open file or directory of the same subvolume.</summary>
    public void Use(Descriptor file) => _file = file;

    /// <summary>Announces which inodes will be requested: no others are read ahead.</summary>
    /// <param name="inodes">Their numbers in ascending order, valid until they are replaced.</param>
    public void Expect(List<ulong> inodes) => _expected = inodes;

    /// <summary>Moves to the first item of an inode.</summary>
    /// <exception cref="BtrfsException">The tree cannot be read.</exception>
    public void Seek(ulong inode)
    {
        ulong reached = _isWhole ? _last : _inodes.Count > 0 ? _inodes[^1].Inode : 0;
        if (inode < _first || inode > reached)
        {
            (_last, _lastType) = (LastInRow(inode), uint.MaxValue);
            Read(new ItemKey(inode, 0, 0));
            _first = inode;
        }

        int index = _inodes.BinarySearch((inode, 0), InodeOrder.Instance);
        (_inode, _position) = (inode, index >= 0 ? _inodes[index].Position : _end);
    }

    /// <summary>Moves to the first item of an inode within a range of types. Only these are read, and nothing is read ahead.</summary>
    /// <exception cref="BtrfsException">The tree cannot be read.</exception>
    public void Seek(ulong inode, uint firstType, uint lastType)
    {
        (_inode, _last, _lastType) = (inode, inode, lastType);
        Read(new ItemKey(inode, firstType, 0));
        _first = ulong.MaxValue;
        _position = sizeof(TreeSearchRequest);
    }

    /// <summary>The key of the current item.</summary>
    public TreeSearchHeader Header { get; private set; }

    /// <summary>The current item; valid until the cursor is moved.</summary>
    public ReadOnlySpan<byte> Item => _buffer.AsSpan(_position - (int)Header.Length, (int)Header.Length);

    /// <summary>Moves to the inode's next item, in key order. False after the last one.</summary>
    /// <exception cref="BtrfsException">The tree cannot be read.</exception>
    public bool MoveNext()
    {
        if (EndsInInode)
        {
            ReadOn(new ItemKey(_inode, Header.Type, Header.Offset).Next);
        }

        if (_position >= _end)
        {
            return false;
        }

        if (!TreeItems.TryTake(_buffer.AsSpan(_position, _end - _position), out TreeSearchHeader header, out _))
        {
            throw Malformed();
        }

        if (header.ObjectId != _inode)
        {
            return false;
        }

        Header = header;
        _position += sizeof(TreeSearchHeader) + (int)header.Length;
        return true;
    }

    /// <summary>Moves to the inode's next item of a type, or of a higher one. False if there is none.</summary>
    /// <exception cref="BtrfsException">The tree cannot be read.</exception>
    public bool MoveTo(uint type)
    {
        while (MoveNext())
        {
            if (Header.Type >= type)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Moves to the inode's item of a type and an offset, or to the first one after it. False if there is none. Items in between
    /// that were not read ahead are skipped.
    /// </summary>
    /// <exception cref="BtrfsException">The tree cannot be read.</exception>
    public bool MoveTo(uint type, ulong offset)
    {
        do
        {
            if (EndsInInode)
            {
                ReadOn(new ItemKey(_inode, type, offset));
            }

            if (!MoveNext())
            {
                return false;
            }
        }
        while (Header.Type < type || (Header.Type == type && Header.Offset < offset));
        return true;
    }

    /// <summary>The error for a malformed item.</summary>
    public BtrfsException Malformed() => BtrfsException.FromErrno(Errno.EPROTO, SystemCall.TreeSearch, _path);

    /// <summary>The window ends in the middle of the inode, and all of it was used.</summary>
    private bool EndsInInode => _position >= _end && !_isWhole && _inodes.Count > 0 && _inodes[^1].Inode == _inode;

    private void ReadOn(in ItemKey from)
    {
        Read(from);
        _first = _inode + 1;
        _position = _inodes.Count > 0 && _inodes[0].Inode == _inode ? _inodes[0].Position : _end;
    }

    /// <summary>The last inode that is read in the same call.</summary>
    private ulong LastInRow(ulong inode)
    {
        if (_expected is null)
        {
            return ulong.MaxValue;
        }

        int index = _expected.BinarySearch(inode);
        while (index >= 0 && index + 1 < _expected.Count && _expected[index + 1] - inode <= MostPassedOver + 1)
        {
            inode = _expected[++index];
        }

        return inode;
    }

    private void Empty()
    {
        _inodes.Clear();
        (_first, _last, _isWhole) = (ulong.MaxValue, 0, false);
        _position = _end = 0;
    }

    private void Read(in ItemKey from)
    {
        *Request = new TreeSearchRequest
        {
            TreeId = _tree,
            MinObjectId = from.ObjectId,
            MinType = from.Type,
            MinOffset = from.Offset,
            MaxObjectId = _last,
            MaxType = _lastType,
            MaxOffset = ulong.MaxValue,
            MaxTransid = ulong.MaxValue,
            ItemCount = uint.MaxValue,
            BufferSize = ItemBytes,
        };
        CallResult result = Sys.TreeSearch(_file, Request);
        if (result.Failed)
        {
            Empty();
            throw BtrfsException.FromErrno(result.Error, SystemCall.TreeSearch, _path);
        }

        Index(Request->ItemCount);
    }

    private void Index(uint items)
    {
        _inodes.Clear();
        int position = sizeof(TreeSearchRequest);
        for (uint i = 0; i < items; i++)
        {
            if (!TreeItems.TryTake(_buffer.AsSpan(position), out TreeSearchHeader header, out ReadOnlySpan<byte> item))
            {
                throw Malformed();
            }

            if (_inodes.Count == 0 || _inodes[^1].Inode != header.ObjectId)
            {
                _inodes.Add((header.ObjectId, position));
            }

            position += sizeof(TreeSearchHeader) + item.Length;
        }

        // The kernel only stops before an item that does not fit.
        _end = position;
        _isWhole = position - sizeof(TreeSearchRequest) <= ItemBytes - LargestItem - sizeof(TreeSearchHeader);
    }

    private sealed class InodeOrder : IComparer<(ulong Inode, int Position)>
    {
        public static InodeOrder Instance { get; } = new();

        public int Compare((ulong Inode, int Position) x, (ulong Inode, int Position) y) => x.Inode.CompareTo(y.Inode);
    }
}
