using BtrfsClone.Extents;

namespace BtrfsClone.Finding;

/// <summary>The files to search, and their file extents on disk.</summary>
internal sealed class Collection(WorkingMemory memory, int blockSize, long minimumLength) : IDisposable
{
    // FIEMAP merges contiguous extents, to any length.
    private const long MostMapped = 128L << 20;

    private const byte UnknownCompression = byte.MaxValue;

    private FileEntry _entry;
    private int _file;
    private bool _isOpen;
    private bool _hasPieces;

    public FileTable Files { get; } = new(memory);

    /// <summary>All file extents, sorted by disk address.</summary>
    public Sorter<Piece> Pieces { get; } = new(memory);

    /// <summary>The block size in bytes.</summary>
    public int BlockSize => blockSize;

    /// <summary>The number of blocks of all file extents.</summary>
    public long Blocks { get; private set; }

    /// <summary>Whether a file is long enough to contain what is searched for.</summary>
    public bool IsLongEnough(long size) => size > 0 && size >= minimumLength;

    /// <summary>Starts a file.</summary>
    public void Begin(in FileEntry entry)
    {
        _entry = entry;
        _file = Files.Count;
        (_isOpen, _hasPieces) = (true, false);
    }

    /// <summary>Adds a file extent of the current file.</summary>
    public void Add(in FileExtent extent, PieceFlags flags)
    {
        if (extent.Kind is ExtentKind.Hole or ExtentKind.Delalloc)
        {
            return;
        }

        if (extent.Kind == ExtentKind.Inline || extent.Compression is null || !IsAligned(extent))
        {
            // It is stored in the metadata, or in an unknown format.
            _entry.Flags |= FileFlags.Partial;
            return;
        }

        long first = extent.Offset / blockSize;
        long blocks = extent.Length / blockSize;
        long inFile = Math.Clamp(((_entry.Size + blockSize - 1) / blockSize) - first, 0, blocks);
        Piece piece = new()
        {
            Disk = extent.RawDiskOffset,
            DiskBlocks = checked((int)(extent.RawDiskLength / blockSize)),
            First = checked((int)(extent.RawExtentOffset / blockSize)),
            FileBlock = first,
            Blocks = checked((int)inFile),
            File = _file,
            Tail = extent.End > _entry.Size ? (ushort)(_entry.Size % blockSize) : (ushort)0,
            Compression = (byte)extent.Compression.Value,
            Flags = flags | (extent.Kind == ExtentKind.Prealloc ? PieceFlags.Prealloc : 0) |
                (inFile < blocks ? PieceFlags.Clipped : 0),
        };
        Add(piece);
    }

    /// <summary>Adds a file extent of the current file as reported by FIEMAP.</summary>
    public void AddMapped(in FileExtent extent, PieceFlags flags)
    {
        if (extent.Kind is ExtentKind.Hole or ExtentKind.Delalloc)
        {
            return;
        }

        if (extent.Kind == ExtentKind.Inline || extent.RawPhysicalOffset < 0 ||
            (extent.Offset | extent.Length | extent.RawPhysicalOffset) % blockSize != 0)
        {
            _entry.Flags |= FileFlags.Partial;
            return;
        }

        flags |= PieceFlags.Mapped | (extent.IsShared == true ? PieceFlags.Shared : 0) |
            (extent.Kind == ExtentKind.Prealloc ? PieceFlags.Prealloc : 0);
        bool isCompressed = extent.Compression != ExtentCompression.None;
        for (long at = extent.Offset; at < extent.End;)
        {
            // Split at the same addresses in every file, so that shared data is split in the same way.
            long physical = extent.RawPhysicalOffset + at - extent.Offset;
            long end = isCompressed ? extent.End : Math.Min(extent.End, at + MostMapped - (physical % MostMapped));
            AddMapped(at, end, isCompressed ? extent.RawPhysicalOffset : physical, isCompressed, flags);
            at = end;
        }
    }

    /// <summary>Ends the current file. Returns whether any of its data can occur elsewhere, so that the file is to be kept.</summary>
    public bool End()
    {
        // A file without file extents may be a hole as long as another file's zeros.
        bool isKept = _isOpen && (_hasPieces || (_entry.Flags & FileFlags.Partial) == 0);
        _isOpen = false;
        return isKept;
    }

    /// <summary>
    /// Abandons the current file, the rest of which cannot be read. The file extents already added stay under its number, which
    /// becomes that of no file: one without an inode number, which is never found again.
    /// </summary>
    public void GiveUp()
    {
        if (_isOpen && _hasPieces)
        {
            Files.Add(new FileEntry { Flags = FileFlags.Partial });
        }

        _isOpen = false;
    }

    /// <summary>Keeps the file that was ended.</summary>
    /// <param name="name">The position of its name in the table of files.</param>
    public void Keep(long name) => Files.Add(_entry with { Name = name });

    public void Dispose()
    {
        Files.Dispose();
        Pieces.Dispose();
    }

    private void AddMapped(long start, long end, long physical, bool isCompressed, PieceFlags flags)
    {
        long inFile = Math.Clamp(_entry.Size - start, 0, end - start);
        Add(new Piece
        {
            Disk = physical,

            // FIEMAP does not report the compressed length of an extent.
            DiskBlocks = isCompressed ? 1 : (int)((end - start) / blockSize),
            FileBlock = start / blockSize,
            Blocks = (int)((inFile + blockSize - 1) / blockSize),
            File = _file,
            Tail = end > _entry.Size ? (ushort)(_entry.Size % blockSize) : (ushort)0,
            Compression = isCompressed ? UnknownCompression : (byte)0,
            Flags = flags | (inFile + blockSize <= end - start ? PieceFlags.Clipped : 0),
        });
    }

    private void Add(in Piece piece)
    {
        _hasPieces = true;
        Blocks += piece.Blocks;
        Pieces.Add(piece);
    }

    private bool IsAligned(in FileExtent extent) =>
        (extent.Offset | extent.Length | extent.RawDiskOffset | extent.RawDiskLength | extent.RawExtentOffset) % blockSize == 0;
}
