namespace BtrfsClone.Finding;

/// <summary>Finds whole files with equal content that is stored at different addresses.</summary>
/// <param name="tables">The results of the scan.</param>
/// <param name="keys">The source of the block keys.</param>
/// <param name="pump">Called from time to time; it may throw to end the work.</param>
internal sealed class FileGrouping(SearchTables tables, IBlockKeys keys, Action pump) : IDisposable
{
    private readonly Sorter<FileSummary> _summaries = new(tables.Memory);

    // Of the file whose file extents are being read.
    private FileSummary _current;
    private long _position;
    private Stretch _stretch;
    private ulong _zeros;
    private bool _isUnknown;

    /// <summary>Files that will share the extents of another one.</summary>
    public FileMarks Dropped { get; } = new();

    /// <summary>The same files by the file whose extents they will share.</summary>
    public Sorter<Twin> Twins { get; } = new(tables.Memory);

    /// <summary>Finds all groups.</summary>
    /// <param name="parts">Receives their files, except the one of each group that is kept.</param>
    public void Run(Sorter<GroupPart> parts)
    {
        Summarize();
        using SortedReader<FileSummary> sorted = _summaries.Read();
        FileSummary kept = default;
        for (bool isFirst = true; sorted.Next(out FileSummary summary); isFirst = false)
        {
            if (isFirst || !summary.HoldsTheSame(kept))
            {
                kept = summary;
            }
            else if (summary.Storage != kept.Storage)
            {
                Dropped.Add(summary.File);
                Twins.Add(new Twin(kept.File, summary.File));
                parts.Add(new GroupPart
                {
                    IsFile = true,
                    SourceFile = kept.File,
                    File = summary.File,
                    Length = summary.Size,
                    Storage = (long)summary.Storage,
                });
            }
        }

        _summaries.Dispose();
    }

    public void Dispose()
    {
        _summaries.Dispose();
        Twins.Dispose();
    }

    private void Summarize()
    {
        const int Step = 4096;
        using SortedReader<FilePiece> pieces = tables.FilePieces.Read();
        bool any = pieces.Next(out FilePiece piece);
        for (int file = 0; file < tables.Files.Count; file++)
        {
            FileEntry entry = tables.Files[file];
            Begin(file, entry);
            for (; any && piece.File == file; any = pieces.Next(out piece))
            {
                Take(piece);
            }

            End(entry);
            if (file % Step == 0)
            {
                pump();
            }
        }
    }

    private void Begin(int file, in FileEntry entry)
    {
        _current = new FileSummary { File = file, Size = entry.Size };
        (_position, _stretch) = (0, default);
        _isUnknown = (entry.Flags & FileFlags.Partial) != 0;
        _zeros = keys.Zeros((entry.Flags & FileFlags.NoChecksum) != 0);
    }

    private void Take(in FilePiece piece)
    {
        if (piece.Blocks == 0)
        {
            return;
        }

        // A file may have changed between two searches: overlapping file extents are not of one point in time.
        _isUnknown |= piece.IsUnknown || piece.FileBlock < _position;
        AddZeros(piece.FileBlock - _position);
        _position = piece.FileBlock;
        if (piece.Slot < 0)
        {
            AddZeros(piece.Blocks);
        }
        else
        {
            _current.Hash = RollingHash.Join(_current.Hash, piece.Hash, piece.Blocks);
        }

        _position += piece.Blocks;
        if (piece.Slot >= 0)
        {
            // Preallocated space has no content, and stays.
            _current.Pieces++;
            _current.Blocks += piece.Blocks;
            AddStorage(piece);
        }
    }

    /// <summary>Adds the address of a file extent, independently of how the data is divided into file extents.</summary>
    private void AddStorage(in FilePiece piece)
    {
        long diagonal = piece.Slot - piece.FileBlock;
        if (diagonal != _stretch.Diagonal || piece.FileBlock != _stretch.End)
        {
            EndStretch();
            _stretch = new Stretch(piece.FileBlock, 0, diagonal);
        }

        _stretch = _stretch with { End = piece.FileBlock + piece.Blocks };
        ExtentEntry extent = tables.Extents[piece.Extent];
        if (extent.Holder == Holder.None && extent.PieceBlocks > 0)
        {
            _current.Freed += (long)((double)extent.DiskBlocks * piece.Blocks / extent.PieceBlocks);
        }
    }

    private void EndStretch()
    {
        if (_stretch.End > 0)
        {
            ulong hash = RollingHash.Append(_current.Storage, (ulong)_stretch.Start);
            hash = RollingHash.Append(hash, (ulong)_stretch.End);
            _current.Storage = RollingHash.Append(hash, (ulong)_stretch.Diagonal);
        }
    }

    private void AddZeros(long blocks)
    {
        if (blocks > 0)
        {
            _isUnknown |= _zeros == IBlockKeys.Unknown;
            _current.Hash = RollingHash.Join(_current.Hash, RollingHash.Repeat(_zeros, blocks), blocks);
        }
    }

    private void End(in FileEntry entry)
    {
        AddZeros(tables.BlocksOf(entry.Size) - _position);
        EndStretch();
        if (!_isUnknown)
        {
            if ((entry.Flags & FileFlags.NoChecksum) != 0)
            {
                // It shares extents only with others of its kind.
                _current.Hash = ~_current.Hash;
            }

            _summaries.Add(_current);
        }
    }

    /// <summary>Blocks of the file that are also contiguous on disk.</summary>
    private readonly record struct Stretch(long Start, long End, long Diagonal);
}
