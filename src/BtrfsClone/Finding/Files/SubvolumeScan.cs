using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>
/// Reads files and their extents from a subvolume's tree, in the order of inode numbers, many with one search. None of the files is
/// opened.
/// </summary>
/// <param name="collection">Receives the files and extents.</param>
/// <param name="report">Receives a failure if a subvolume was removed before all of it was read. The others are still searched.</param>
/// <param name="pump">Called between two searches; it may throw to end the work.</param>
internal sealed class SubvolumeScan(Collection collection, Action<BtrfsException> report, Action pump)
{
    // A search also returns the items of all inodes in between.
    private const ulong LargestGap = 16;

    private const int LongestName = 255; // BTRFS_NAME_LEN

    private readonly TreeSearch _search = new();
    private readonly WantedFile[] _wanted = new WantedFile[1024];
    private readonly byte[] _name = new byte[LongestName];
    private FoundTree _tree = null!;
    private bool _isAll;
    private int _first;
    private int _end;

    // Of the inode whose items are being read.
    private ulong _inode;
    private bool _isFile;
    private PieceFlags _flags;
    private ulong _directory;
    private int _nameLength;
    private long _namePlace;

    /// <summary>Reads all files of a subvolume.</summary>
    /// <exception cref="BtrfsException">The tree cannot be read.</exception>
    public void ReadAll(FoundTree tree)
    {
        Start(tree, isAll: true);
        TryRead(BtrfsKey.FirstFree, ulong.MaxValue);
    }

    /// <summary>Reads the files found by directory walks; those in subvolumes that are read completely are skipped.</summary>
    /// <param name="trees">The subvolumes.</param>
    /// <param name="wanted">The files.</param>
    /// <exception cref="BtrfsException">A tree cannot be read.</exception>
    public void Read(FoundTrees trees, DistinctFiles wanted)
    {
        _end = 0;
        int tree = -1;
        bool isPassedOver = false;
        bool isThere = true;
        while (wanted.Next(out WantedFile file))
        {
            if (file.Tree != tree)
            {
                ReadGroup();
                isThere = true;
                tree = file.Tree;
                isPassedOver = trees.IsWhole(trees[tree].Id);
                Start(trees[tree], isAll: false);
            }

            if (isPassedOver || !isThere)
            {
                continue;
            }

            if (_end == _wanted.Length || (_end > 0 && file.Inode - _wanted[_end - 1].Inode > LargestGap))
            {
                isThere = ReadGroup();
            }

            _wanted[_end++] = file;
        }

        ReadGroup();
    }

    private bool ReadGroup()
    {
        _first = 0;
        bool isThere = _end == 0 || TryRead(_wanted[0].Inode, _wanted[_end - 1].Inode);
        _end = 0;
        return isThere;
    }

    /// <summary>As <see cref="Read(ulong, ulong)"/>; false if the subvolume was deleted, which is reported.</summary>
    private bool TryRead(ulong first, ulong last)
    {
        try
        {
            Read(first, last);
            return true;
        }
        catch (BtrfsException failure) when (failure.Error == BtrfsError.ChangedMeanwhile)
        {
            collection.GiveUp();
            _isFile = false;
            report(failure);
            return false;
        }
    }

    private void Start(FoundTree tree, bool isAll)
    {
        (_tree, _isAll, _inode, _isFile) = (tree, isAll, 0, false);
        _search.Start(tree.Descriptor, tree.Text);
    }

    private void Read(ulong first, ulong last)
    {
        var from = new ItemKey(first, BtrfsKey.InodeItem, 0);
        var to = new ItemKey(last, BtrfsKey.ExtentData, ulong.MaxValue);
        do
        {
            pump();
            _search.Find(_tree.Id, from, to, uint.MaxValue);
            while (_search.Next(out TreeSearchHeader header, out ReadOnlySpan<byte> item))
            {
                from = header.Offset < ulong.MaxValue
                    ? new ItemKey(header.ObjectId, header.Type, header.Offset + 1)
                    : new ItemKey(header.ObjectId, header.Type + 1, 0);
                Take(header, item);
            }
        }
        while (_search.MayHaveMore);

        EndFile();
    }

    private void Take(in TreeSearchHeader header, ReadOnlySpan<byte> item)
    {
        if (header.ObjectId != _inode)
        {
            EndFile();
            _inode = header.ObjectId;
        }

        switch (header.Type)
        {
            case BtrfsKey.InodeItem when IsWanted():
                BeginFile(item);
                break;
            case BtrfsKey.InodeRef or BtrfsKey.InodeExtendedRef when _isFile && _isAll && _nameLength == 0:
                if (!InodeItems.TryReadName(header, item, out _directory, out ReadOnlySpan<byte> name) ||
                    !name.TryCopyTo(_name))
                {
                    throw _search.Malformed();
                }

                _nameLength = name.Length;
                break;
            case BtrfsKey.ExtentData when _isFile:
                if (!TreeItems.TryReadFileExtent(item, header.Offset, out FileExtent extent))
                {
                    throw _search.Malformed();
                }

                collection.Add(
                    extent, _flags | (header.Transid <= _tree.LastSnapshot ? PieceFlags.MayBeInSnapshot : 0));
                break;
        }
    }

    private bool IsWanted()
    {
        if (_isAll)
        {
            return true;
        }

        while (_first < _end && _wanted[_first].Inode < _inode)
        {
            _first++;
        }

        bool isWanted = _first < _end && _wanted[_first].Inode == _inode;
        _namePlace = isWanted ? _wanted[_first].Name : 0;
        return isWanted;
    }

    private void BeginFile(ReadOnlySpan<byte> item)
    {
        if (!InodeItems.TryRead(item, out InodeFacts facts))
        {
            throw _search.Malformed();
        }

        if ((facts.Mode & Sys.ModeTypeMask) != Sys.ModeRegular || facts.LinkCount == 0 ||
            !collection.IsLongEnough(facts.Size))
        {
            return;
        }

        _isFile = true;
        _nameLength = 0;
        _flags = facts.HasChecksums ? PieceFlags.None : PieceFlags.NoChecksum;
        collection.Begin(new FileEntry
        {
            Inode = _inode,
            Size = facts.Size,
            Version = facts.ChangeTime,
            Tree = _tree.Number,
            Flags = facts.HasChecksums ? FileFlags.None : FileFlags.NoChecksum,
        });
    }

    private void EndFile()
    {
        if (_isFile && collection.End())
        {
            collection.Keep(_isAll ? collection.Files.AddName(_directory, _name.AsSpan(0, _nameLength)) : _namePlace);
        }

        _isFile = false;
    }
}
