using BtrfsClone.Extents;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Measuring;

/// <summary>
/// Counts the extents of many files of one directory by the items of their subvolume's tree, without opening them:
/// neighbours by inode number come with one search. Where the extent tree does not tell what is shared, FIEMAP does.
/// </summary>
internal sealed unsafe class TreeUsage(UsageShared shared, UsageTotals totals, FiemapUsage fiemap)
{
    // A search brings the items of all inodes in between as well.
    private const ulong LargestGap = 16;
    private const int MaxPieces = 4096;

    private readonly TreeSearch _items = new();
    private readonly TreeSearch _lookups = new();
    private readonly TreePiece[] _pieces = new TreePiece[MaxPieces];
    private readonly int[] _files = new int[MaxPieces];
    private WantedFile[] _wanted = new WantedFile[256];
    private TreeState? _state;
    private ReferenceReader? _references;
    private MeasuredDirectory _directory = null!;
    private ulong _subvolume;
    private int _wantedCount;
    private int _count;

    // Of the file whose items are being read.
    private int _current;
    private int _names;
    private bool _isDecided;
    private bool _isFirst;

    /// <summary>Begins with an item: finds whether its trees may be read. Returns a negative errno where not.</summary>
    public int Probe(int descriptor)
    {
        _subvolume = 0;
        _lookups.Start(descriptor, "");
        var key = new ItemKey(BtrfsKey.ExtentTree, BtrfsKey.RootItem, 0);
        return _lookups.TryFind(BtrfsKey.RootTree, key, key, count: 1);
    }

    /// <summary>Begins with files of a directory, or with a single file.</summary>
    public void Start(MeasuredDirectory directory)
    {
        _directory = directory;
        _wantedCount = _count = 0;
    }

    /// <summary>Adds a file.</summary>
    /// <param name="inode">Its inode number.</param>
    /// <param name="name">
    /// Its name in the directory, which stays there until <see cref="Count"/> comes back; null for what was started
    /// with.
    /// </param>
    public void Add(ulong inode, byte* name)
    {
        if (_wantedCount == _wanted.Length)
        {
            Array.Resize(ref _wanted, _wantedCount * 2);
        }

        _wanted[_wantedCount++] = new WantedFile { Inode = inode, Name = name };
    }

    /// <summary>Counts all files that were added.</summary>
    public void Count()
    {
        Span<WantedFile> wanted = _wanted.AsSpan(0, _wantedCount);
        wanted.Sort(static (a, b) => a.Inode.CompareTo(b.Inode));
        _items.Start(_directory.Descriptor, "");
        LookAtTrees();
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

        Settle(isWhole: true);
    }

    private void LookAtTrees()
    {
        _lookups.Start(_directory.Descriptor, "");
        _state ??= new TreeState(_lookups);
        if (_subvolume == _directory.Subvolume)
        {
            _state.Use(_directory.Descriptor);
        }
        else
        {
            _subvolume = _directory.Subvolume;
            _state.Start(_directory.Descriptor, _subvolume, BtrfsKey.FirstFree);
        }

        int result = _state.Look();
        if (result < 0)
        {
            throw BtrfsException.FromErrno(-result, Sys.TreeSearchCall, _directory.Path);
        }
    }

    /// <summary>Reads the items of the wanted files from one to before another.</summary>
    private void Read(int first, int next)
    {
        Begin(first);
        var from = new ItemKey(_wanted[first].Inode, BtrfsKey.InodeRef, 0);
        var to = new ItemKey(_wanted[next - 1].Inode, BtrfsKey.ExtentData, ulong.MaxValue);
        do
        {
            shared.Cancellation.ThrowIfCancellationRequested();
            int found = _items.TryFind(0, from, to, uint.MaxValue);
            if (found < 0)
            {
                throw BtrfsException.FromErrno(-found, Sys.TreeSearchCall, _directory.Path);
            }

            TreeSearchHeader header = default;
            while (_items.Next(out header, out ReadOnlySpan<byte> item))
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
                // What lies in between belongs to nobody here, such as the entries of a large directory.
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

    /// <summary>Leaves the files before an inode.</summary>
    private void Advance(ulong inode, int next)
    {
        while (_current < next && _wanted[_current].Inode < inode)
        {
            // Two names of one file in one directory follow each other; one of them is enough.
            if (_names > 0 && Decide())
            {
                shared.AddFile();
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
            case BtrfsKey.InodeRef:
                _names += TreeItems.HasSeveralNames(item) ? 2 : 1;
                break;
            case BtrfsKey.InodeExtendedRef:
                _names += 2;
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
            throw Malformed();
        }

        if (extent.Kind == ExtentKind.Inline)
        {
            totals.AddInline(extent);
        }
        else if (extent.Kind != ExtentKind.Hole)
        {
            if (_count == MaxPieces)
            {
                Settle(isWhole: false);
            }

            _files[_count] = _current;
            _pieces[_count++] = new TreePiece
            {
                Extent = extent,
                LeafGeneration = header.Transid,
                Inode = header.ObjectId,
            };
        }
    }

    /// <summary>Counts the pieces gathered so far. Of the last one's file more may come, unless all is whole.</summary>
    private void Settle(bool isWhole)
    {
        Span<TreePiece> pieces = _pieces.AsSpan(0, _count);
        bool isStill = _state!.IsStill();
        if (isStill && !pieces.IsEmpty)
        {
            (_references ??= new ReferenceReader(_lookups)).Resolve(pieces, _subvolume);
            isStill = _state.IsStill();
        }

        CountExtents(pieces, isStill);
        for (int first = 0; first < pieces.Length;)
        {
            int next = first + 1;
            while (next < pieces.Length && _files[next] == _files[first])
            {
                next++;
            }

            CountFile(
                ref _wanted[_files[first]], pieces[first..next], isStill, isWhole || next < pieces.Length);
            first = next;
        }

        _count = 0;
    }

    private void CountExtents(ReadOnlySpan<TreePiece> pieces, bool isStill)
    {
        lock (shared.Extents)
        {
            foreach (ref readonly TreePiece piece in pieces)
            {
                // What has one reference is not met again, and need not be remembered.
                bool isOnly = isStill && piece.Extent.RawReferenceCount == 1 && piece.Sharing == Sharing.OwnLeaf &&
                    !piece.MustAskKernel(_state!.LastSnapshot);
                totals.AddPiece(piece.Extent, isOnly || shared.Extents.Add(piece.Extent.RawDiskOffset));
            }
        }
    }

    private void CountFile(ref WantedFile file, ReadOnlySpan<TreePiece> pieces, bool isStill, bool isWhole)
    {
        long from = file.Counted;
        file.Counted = isWhole ? long.MaxValue : pieces[^1].Extent.End;
        bool mustAsk = !isStill;
        foreach (ref readonly TreePiece piece in pieces)
        {
            // Delayed data over preallocated space is not in the items.
            mustAsk |= piece.MustAskKernel(_state!.LastSnapshot) || piece.Extent.Kind == ExtentKind.Prealloc;
        }

        if (mustAsk)
        {
            Ask(file, from);
            return;
        }

        foreach (ref readonly TreePiece piece in pieces)
        {
            fiemap.Add(piece.Extent with { IsShared = piece.Sharing == Sharing.Shared });
        }
    }

    private void Ask(in WantedFile file, long from)
    {
        int descriptor = file.Name == null
            ? _directory.Descriptor
            : FileOpener.Open(_directory.Descriptor, file.Name);
        if (descriptor < 0)
        {
            if (!FileOpener.IsGone(descriptor))
            {
                Report(BtrfsException.FromErrno(-descriptor, "openat", PathOf(file)));
            }

            return;
        }

        try
        {
            fiemap.Add(descriptor, "", from, file.Counted);
        }
        catch (BtrfsException failure)
        {
            Report(new BtrfsException(failure.Error, PathOf(file), failure.Errno, failure.Call));
        }
        finally
        {
            if (file.Name != null)
            {
                Sys.Close(descriptor);
            }
        }
    }

    private void Report(BtrfsException failure) => shared.Failures.Enqueue(failure);

    private string PathOf(in WantedFile file) => file.Name == null
        ? _directory.Path
        : _directory.PathOf(new ReadOnlySpan<byte>(file.Name, Utf8Z.Length(file.Name)));

    private BtrfsException Malformed() => new(BtrfsError.IOError, _directory.Path, Errno.EUCLEAN, Sys.TreeSearchCall);

    private struct WantedFile
    {
        public ulong Inode;
        public byte* Name;

        /// <summary>Up to where it has been counted.</summary>
        public long Counted;
    }
}
