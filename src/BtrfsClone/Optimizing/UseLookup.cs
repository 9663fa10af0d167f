using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>
/// Looks up the references to extents, in all subvolumes and snapshots: the files from the back references of the extents, the file
/// extents from the trees of the subvolumes, in their order. Requires CAP_SYS_ADMIN.
/// </summary>
internal sealed class UseLookup
{
    /// <summary>The number of references that are looked up together; an extent with more is not replaced.</summary>
    private const int Most = 1 << 18;

    private readonly OwnerSearch _owners = new();
    private readonly TreeSearch _search = new();
    private readonly InodeCursor _cursor = new();
    private readonly List<(ExtentUse Use, UsedExtent Extent)> _found = [];
    private readonly ulong _sizeLimit = Sys.FileSizeLimit;
    private Descriptor _file;
    private string _path = "";
    private ulong _newestSubvolume;

    // The subvolume and the file that were processed last.
    private ulong _subvolume;
    private bool _isThere;
    private bool _isReadOnly;
    private ulong _inode;
    private InodeFacts _facts;
    private bool _hasItem;

    /// <summary>Starts with an open file on the filesystem. Fails if the process lacks permission.</summary>
    public CallResult Start(Descriptor file, string path)
    {
        (_file, _path, _newestSubvolume) = (file, path, 0);
        _owners.Start(file, path);
        _search.Start(file, path);
        return _owners.Probe();
    }

    /// <summary>Finds those of some extents that were freed: no file uses them any more.</summary>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public HashSet<UsedExtent> FindGone(IEnumerable<UsedExtent> extents)
    {
        // An extent that is not in the extent tree is freed. One that is there may not be in use: references are removed with a
        // delay.
        ReferenceCounts counts = new(_file, _path);
        return
        [
            .. extents.OrderBy(extent => extent.Place)
                .Where(extent => counts.Of(extent.Place) == 0 || !_owners.Find(extent.Place).Any()),
        ];
    }

    /// <summary>
    /// Whether there is a subvolume with references to one of the extents that did not exist when they were looked up: a snapshot.
    /// </summary>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public bool HasNewSubvolume(IReadOnlyList<UsedExtent> extents) =>
        HasNewer(extents.Min(extent => extent.NewestSubvolume)) && extents.Any(IsUsedByOther);

    /// <summary>Looks up the uses of extents, for as many as fit in one batch. Returns the number of these extents.</summary>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public int Find(IReadOnlyList<UsedExtent> extents)
    {
        _found.Clear();
        while (HasNewer(_newestSubvolume))
        {
            while (_search.Next(out TreeSearchHeader header, out _))
            {
                _newestSubvolume = header.ObjectId;
            }
        }

        int count = 0;
        while (count < extents.Count && (count == 0 || _found.Count < Most))
        {
            UsedExtent extent = extents[count++];
            extent.Uses.Clear();
            extent.NewestSubvolume = _newestSubvolume;
            int first = _found.Count;
            foreach (ExtentOwner owner in _owners.Find(extent.Place))
            {
                if (_found.Count - first == Most)
                {
                    _found.RemoveRange(first, Most);
                    extent.IsUnclear = true;
                    break;
                }

                _found.Add((new ExtentUse { Owner = owner }, extent));
            }
        }

        _found.Sort(static (one, other) => ExtentOwner.Compare(one.Use.Owner, other.Use.Owner));
        (_subvolume, _inode) = (0, 0);
        foreach ((ExtentUse use, UsedExtent extent) in _found)
        {
            Add(use, extent);
        }

        for (int i = 0; i < count; i++)
        {
            extents[i].Uses.Sort(ExtentUse.Compare);
        }

        return count;
    }

    /// <summary>Whether a subvolume was created after another one: ids ascend.</summary>
    private bool HasNewer(ulong subvolume) => _search.Find(
        BtrfsKey.RootTree,
        new ItemKey(subvolume + 1, 0, 0),
        new ItemKey(BtrfsKey.LastFree, byte.MaxValue, ulong.MaxValue),
        uint.MaxValue) > 0;

    private bool IsUsedByOther(UsedExtent extent)
    {
        HashSet<ulong> subvolumes = [.. extent.Uses.Select(use => use.Owner.Root)];
        return _owners.Find(extent.Place).Any(owner => !subvolumes.Contains(owner.Root));
    }

    private void Add(ExtentUse use, UsedExtent extent)
    {
        try
        {
            if (TryRead(ref use, extent))
            {
                extent.Uses.Add(use);
            }
        }
        catch (BtrfsException failure) when (failure.Errno == (int)Errno.ENOENT)
        {
            // The subvolume is being deleted.
            (_subvolume, extent.IsUnclear) = (0, true);
        }
    }

    /// <summary>Reads the file extent of a reference. False if it no longer exists.</summary>
    private bool TryRead(ref ExtentUse use, UsedExtent extent)
    {
        ExtentOwner owner = use.Owner;
        if (_subvolume != owner.Root)
        {
            Enter(owner.Root);
        }

        if (!_isThere)
        {
            extent.IsUnclear = true;
            return false;
        }

        if (_inode != owner.Inode)
        {
            Seek(owner.Inode);
        }

        while (_hasItem && (_cursor.Header.Type < BtrfsKey.ExtentData || _cursor.Header.Offset < owner.Offset))
        {
            _hasItem = _cursor.MoveTo(BtrfsKey.ExtentData, owner.Offset);
        }

        if (!_hasItem || _cursor.Header.Type != BtrfsKey.ExtentData || _cursor.Header.Offset != owner.Offset)
        {
            return false;
        }

        if (!TreeItems.TryReadFileExtent(_cursor.Item, owner.Offset, out FileExtent piece))
        {
            throw _cursor.Malformed();
        }

        use.Generation = _facts.Generation;
        use.ExtentOffset = piece.RawExtentOffset;
        use.Length = piece.Length;
        use.Content = Math.Min(piece.Length, _facts.Size - piece.Offset);
        use.MayMove = !_isReadOnly && _facts.HasChecksums && !_facts.IsImmutable && piece.Kind == ExtentKind.Data &&
            use.Content > 0 && (ulong)piece.End <= _sizeLimit;
        return piece.RawDiskOffset == extent.Place;
    }

    private void Enter(ulong subvolume)
    {
        (_subvolume, _inode, _isReadOnly) = (subvolume, 0, false);
        CallResult found = _search.TryFind(
            BtrfsKey.RootTree,
            new ItemKey(subvolume, BtrfsKey.RootItem, 0),
            new ItemKey(subvolume, BtrfsKey.RootItem, ulong.MaxValue),
            count: 1);
        if (found.Failed)
        {
            throw BtrfsException.FromErrno(found.Error, SystemCall.TreeSearch, _path);
        }

        _isThere = _search.Next(out _, out ReadOnlySpan<byte> item);
        if (_isThere && !TreeItems.TryReadRootIsReadOnly(item, out _isReadOnly))
        {
            throw _search.Malformed();
        }

        _cursor.Start(_file, _path, subvolume);
    }

    private void Seek(ulong inode)
    {
        _inode = inode;
        _cursor.Seek(inode);
        _hasItem = _cursor.MoveNext();
        if (_hasItem && (_cursor.Header.Type != BtrfsKey.InodeItem || !InodeItems.TryRead(_cursor.Item, out _facts)))
        {
            throw _cursor.Malformed();
        }
    }
}
