using BtrfsClone.Extents;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Measuring;

/// <summary>
/// Counts file extents from their subvolume's tree: each extent once, and how much of the files is shared. The extent tree shows
/// that for many file extents at once; FIEMAP is used if it cannot.
/// </summary>
internal sealed unsafe class PieceUsage(UsageShared shared, UsageTotals totals, FiemapUsage fiemap)
{
    private const int MaxPieces = 4096;

    private readonly TreeSearch _lookups = new();
    private readonly TreePiece[] _pieces = new TreePiece[MaxPieces];
    private readonly int[] _files = new int[MaxPieces];
    private readonly ReclaimReferences _gathered = new();
    private MeasuredFile[] _wanted = [];
    private TreeState? _state;
    private ReferenceReader? _references;
    private MeasuredDirectory _directory = null!;
    private ulong _subvolume;
    private int _count;

    /// <summary>Starts an item: fails if its trees may not be read.</summary>
    public CallResult Probe(Descriptor item)
    {
        _subvolume = 0;
        _lookups.Start(item, "");
        var key = new ItemKey(BtrfsKey.ExtentTree, BtrfsKey.RootItem, 0);
        return _lookups.TryFind(BtrfsKey.RootTree, key, key, count: 1);
    }

    /// <summary>Starts with files of a directory.</summary>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public void Start(MeasuredDirectory directory, MeasuredFile[] wanted)
    {
        (_directory, _wanted, _count) = (directory, wanted, 0);
        _gathered.Clear();
        _lookups.Start(directory.Descriptor, "");
        _state ??= new TreeState(_lookups);
        if (_subvolume == directory.Subvolume)
        {
            _state.Use(directory.Descriptor);
        }
        else
        {
            _subvolume = directory.Subvolume;
            _state.Start(directory.Descriptor, _subvolume, BtrfsKey.FirstFree);
        }

        CallResult result = _state.Look();
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.TreeSearch, "");
        }
    }

    /// <summary>Adds the next file extent on disk; those of a file are consecutive.</summary>
    /// <param name="file">The index of its file among those passed to <see cref="Start"/>.</param>
    /// <param name="header">The header of its item.</param>
    /// <param name="extent">The file extent.</param>
    /// <param name="isLinked">Whether the file has several names.</param>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public void Add(int file, in TreeSearchHeader header, in FileExtent extent, bool isLinked)
    {
        if (_count == MaxPieces)
        {
            Settle(isWhole: false);
        }

        _files[_count] = file;
        _pieces[_count++] = new TreePiece
        {
            Extent = extent,
            LeafGeneration = header.Transid,
            Inode = header.ObjectId,
        };
        if (shared.Reclaim is ReclaimItem item)
        {
            _gathered.Add(extent.RawDiskOffset, new ReclaimReference
            {
                Owner = new ExtentOwner { Root = _subvolume, Inode = header.ObjectId, Offset = header.Offset },
                DiskLength = extent.RawDiskLength,
                Item = _wanted[file].Usage?.Number ?? item.Number,
                IsLinked = isLinked,
                MayBeShared = header.Transid <= _state!.LastSnapshot,
            });
        }
    }

    /// <summary>Records a name of a file that has several.</summary>
    /// <param name="file">The file.</param>
    /// <param name="links">The number of its names.</param>
    public void AddName(in MeasuredFile file, int links)
    {
        if (shared.Reclaim is ReclaimItem item && file.Name != null)
        {
            ulong key = LinkedFiles.KeyOf(_directory.Status.Inode, Utf8Z.Span(file.Name));
            item.Set.AddName(file.Usage?.Number ?? item.Number, _subvolume, file.Inode, key, links);
        }
    }

    /// <summary>Counts what was not counted yet.</summary>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public void Settle() => Settle(isWhole: true);

    /// <summary>Counts the file extents collected so far. More of the last one's file may follow, unless everything is complete.</summary>
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
        if (_gathered.Count > 0)
        {
            shared.Reclaim!.Set.Add(_gathered);
            _gathered.Clear();
        }
    }

    private void CountExtents(ReadOnlySpan<TreePiece> pieces, bool isStill)
    {
        lock (shared.Extents)
        {
            foreach (ref readonly TreePiece piece in pieces)
            {
                // An extent with one reference is not encountered again, and need not be remembered.
                bool isOnly = isStill && piece.Extent.RawReferenceCount == 1 && piece.Sharing == Sharing.OwnLeaf &&
                    !piece.MustAskKernel(_state!.LastSnapshot);
                totals.AddPiece(piece.Extent, isOnly || shared.Extents.Add(piece.Extent.RawDiskOffset));
            }
        }
    }

    private void CountFile(ref MeasuredFile file, ReadOnlySpan<TreePiece> pieces, bool isStill, bool isWhole)
    {
        fiemap.Usage = file.Usage;
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

    private void Ask(in MeasuredFile file, long from)
    {
        Descriptor opened = Descriptor.None;
        if (file.Name != null)
        {
            CallResult result = FileOpener.Open(_directory.Descriptor, file.Name, out opened);
            if (result.Failed)
            {
                if (!FileOpener.IsGone(result))
                {
                    shared.Report(BtrfsException.FromErrno(result.Error, SystemCall.OpenAt, PathOf(file)));
                }

                return;
            }
        }

        using DescriptorScope closing = new(opened);
        try
        {
            fiemap.Add(file.Name != null ? opened : _directory.Descriptor, "", from, file.Counted);
        }
        catch (BtrfsException failure)
        {
            shared.Report(failure.At(PathOf(file)));
        }
    }

    private string PathOf(in MeasuredFile file) => file.Name == null
        ? _directory.Path
        : _directory.PathOf(new ReadOnlySpan<byte>(file.Name, Utf8Z.Length(file.Name)));
}
