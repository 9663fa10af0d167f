using BtrfsClone.Extents;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Measuring;

/// <summary>
/// Counts the extents of many files of one directory by the items of their subvolume's tree, without opening them: one search
/// returns several with adjacent inode numbers. If the extent tree does not show what is shared, FIEMAP is used.
/// </summary>
internal sealed unsafe class TreeUsage(UsageShared shared, UsageTotals totals, FiemapUsage fiemap)
{
    // A search also returns the items of all inodes in between.
    private const ulong LargestGap = 16;

    private readonly TreeSearch _items = new();
    private readonly PieceUsage _pieces = new(shared, totals, fiemap);
    private MeasuredFile[] _wanted = new MeasuredFile[256];
    private MeasuredDirectory _directory = null!;
    private int _wantedCount;

    // Of the file whose items are being read.
    private int _current;
    private int _names;
    private bool _isDecided;
    private bool _isFirst;

    /// <inheritdoc cref="PieceUsage.Probe"/>
    public CallResult Probe(Descriptor item) => _pieces.Probe(item);

    /// <summary>Starts with files of a directory, or with a single file.</summary>
    public void Start(MeasuredDirectory directory)
    {
        _directory = directory;
        _wantedCount = 0;
    }

    /// <summary>Adds a file.</summary>
    /// <param name="inode">Its inode number.</param>
    /// <param name="name">
    /// Its name in the directory, which must stay valid until <see cref="Count"/> returns; null for a single item.
    /// </param>
    /// <param name="usage">Its entry in the ledger, if there is one.</param>
    public void Add(ulong inode, byte* name, EntryUsage? usage = null)
    {
        if (_wantedCount == _wanted.Length)
        {
            Array.Resize(ref _wanted, _wantedCount * 2);
        }

        _wanted[_wantedCount++] = new MeasuredFile { Inode = inode, Name = name, Usage = usage };
    }

    /// <summary>Counts all files that were added.</summary>
    /// <exception cref="BtrfsException">The trees cannot be read; some of the files have then not been counted.</exception>
    public void Count()
    {
        try
        {
            CountAll();
        }
        catch (BtrfsException failure)
        {
            // The searches do not know the path: it is only constructed here.
            throw failure.At(_directory.Path);
        }
    }

    private void CountAll()
    {
        Span<MeasuredFile> wanted = _wanted.AsSpan(0, _wantedCount);
        wanted.Sort(static (a, b) => a.Inode.CompareTo(b.Inode));
        _items.Start(_directory.Descriptor, "");
        _pieces.Start(_directory, _wanted);
        for (int first = 0; first < wanted.Length;)
        {
            int next = first + 1;
            while (next < wanted.Length && wanted[next].Inode - wanted[next - 1].Inode <= LargestGap)
            {
                next++;
            }

            Read(first, next);
            first = next;
        }

        _pieces.Settle();
    }

    /// <summary>Reads the items of the wanted files with indices from one up to but not including another.</summary>
    private void Read(int first, int next)
    {
        Begin(first);
        var from = new ItemKey(_wanted[first].Inode, BtrfsKey.InodeRef, 0);
        var to = new ItemKey(_wanted[next - 1].Inode, BtrfsKey.ExtentData, ulong.MaxValue);
        do
        {
            shared.Cancellation.ThrowIfCancellationRequested();
            _items.Find(0, from, to, uint.MaxValue);
            while (_items.Next(out TreeSearchHeader header, out ReadOnlySpan<byte> item))
            {
                from = new ItemKey(header.ObjectId, header.Type, header.Offset + 1);
                Advance(header.ObjectId, next);
                if (_current < next && header.ObjectId == _wanted[_current].Inode)
                {
                    Take(header, item);
                }
            }

            if (_current < next && _wanted[_current].Inode > from.ObjectId)
            {
                // The items in between are not needed here, such as the entries of a large directory.
                from = new ItemKey(_wanted[_current].Inode, BtrfsKey.InodeRef, 0);
            }
        }
        while (_items.MayHaveMore);

        Advance(ulong.MaxValue, next);
    }

    private void Begin(int index)
    {
        _current = index;
        _names = 0;
        _isDecided = _isFirst = false;
    }

    /// <summary>Skips the files before an inode.</summary>
    private void Advance(ulong inode, int next)
    {
        while (_current < next && _wanted[_current].Inode < inode)
        {
            // Two names of one file in one directory are adjacent; one of them is sufficient.
            if (_names > 0 && Decide())
            {
                shared.AddFile();
                if (_wanted[_current].Usage is { } usage)
                {
                    usage.Files = 1;
                }
            }

            for (int same = _current; _names > 1 && same < next && _wanted[same].Inode == _wanted[_current].Inode; same++)
            {
                _pieces.AddName(_wanted[same], _names);
            }

            Begin(_current + 1);
        }
    }

    /// <summary>Whether the current file is to be counted: one with several names only once.</summary>
    private bool Decide()
    {
        if (!_isDecided)
        {
            _isDecided = true;
            _isFirst = _names == 1 || shared.IsFirst(_directory.Status.Device, _wanted[_current].Inode);
        }

        return _isFirst;
    }

    private void Take(in TreeSearchHeader header, ReadOnlySpan<byte> item)
    {
        switch (header.Type)
        {
            case BtrfsKey.InodeRef or BtrfsKey.InodeExtendedRef:
                _names += InodeItems.CountNames(header, item);
                break;
            case BtrfsKey.ExtentData when Decide():
                TakeExtent(header, item);
                break;
        }
    }

    private void TakeExtent(in TreeSearchHeader header, ReadOnlySpan<byte> item)
    {
        if (!TreeItems.TryReadFileExtent(item, header.Offset, out FileExtent extent))
        {
            throw _items.Malformed();
        }

        if (extent.Kind == ExtentKind.Inline)
        {
            totals.AddInline(extent);
            if (_wanted[_current].Usage is { } usage)
            {
                usage.InlineDiskLength += extent.RawDiskLength;
            }
        }
        else if (extent.Kind != ExtentKind.Hole)
        {
            _pieces.Add(_current, header, extent, isLinked: _names > 1);
        }
    }
}
