using System.Runtime.InteropServices;

namespace BtrfsClone.Finding;

/// <summary>
/// Reads all file extents once, in the order of disk addresses, and assigns each block a slot with its key. A block shared by
/// several files gets one slot.
/// </summary>
/// <param name="tables">The tables to fill.</param>
/// <param name="keys">The source of the keys.</param>
/// <param name="references">The reference count of an extent, if it is known.</param>
/// <param name="lone">Files that are not read.</param>
/// <param name="pump">Called between two steps; it may throw to end the work.</param>
internal sealed class BlockScan(
    SearchTables tables, IBlockKeys keys, Func<long, ulong>? references, FileMarks lone, Action<long> pump)
{
    // Enough work for several threads, and small compared with all other memory.
    private const int BatchBlocks = 1 << 15;

    // The limit for extents that are not read.
    private const int MostClusters = BatchBlocks;

    private readonly List<KeyPart> _parts = [];
    private readonly List<ExtentCluster> _clusters = [];
    private readonly TailBlocks _tails = new();
    private ulong[] _keys = [];
    private ulong[] _hashes = [0];
    private int _used;
    private int _blocks;
    private long _passedOver;

    /// <summary>Reads all file extents.</summary>
    public void Run(SortedReader<Piece> pieces)
    {
        ExtentCluster cluster = NewCluster();
        while (pieces.Next(out Piece piece))
        {
            if (lone[piece.File])
            {
                piece.Flags |= PieceFlags.Lone;
                _passedOver += piece.Blocks;
            }

            if (!cluster.TryAdd(piece, tables.BlockSize))
            {
                Prepare(cluster);
                cluster = NewCluster();
                cluster.TryAdd(piece, tables.BlockSize);
            }
        }

        if (cluster.Pieces.Length > 0)
        {
            Prepare(cluster);
        }

        Flush();
    }

    private ExtentCluster NewCluster()
    {
        if (_blocks >= BatchBlocks || _used >= MostClusters)
        {
            Flush();
        }

        if (_used == _clusters.Count)
        {
            _clusters.Add(new ExtentCluster());
        }

        _clusters[_used].Clear();
        return _clusters[_used++];
    }

    /// <summary>Determines which blocks of an extent to read, and through which file.</summary>
    private void Prepare(ExtentCluster cluster)
    {
        int end = 0;
        _tails.Find(cluster);
        foreach (Piece piece in cluster.Pieces)
        {
            // A block of which another file has more bytes is read there.
            int first = Math.Max(piece.First, end);
            int blocks = piece.First + piece.Blocks - first - (_tails.IsMoreElsewhere(piece) ? 1 : 0);
            if (blocks <= 0 || piece.Is(PieceFlags.Unread))
            {
                continue;
            }

            _parts.Add(new KeyPart
            {
                Disk = cluster.Disk,
                First = first,
                Blocks = blocks,
                DiskBlocks = piece.DiskBlocks,
                Compression = piece.Compression,
                NoChecksum = piece.Is(PieceFlags.NoChecksum),
                File = piece.File,
                FileBlock = piece.FileBlock + first - piece.First,
            });
            _blocks += blocks;
            end = first + blocks;
        }
    }

    private void Flush()
    {
        if (_keys.Length < _blocks)
        {
            _keys = new ulong[_blocks];
            _hashes = new ulong[_blocks + 1];
        }

        ReadOnlySpan<KeyPart> parts = CollectionsMarshal.AsSpan(_parts);
        if (_blocks > 0)
        {
            keys.Read(parts, _keys.AsSpan(0, _blocks));
        }

        int key = 0;
        foreach (ExtentCluster cluster in CollectionsMarshal.AsSpan(_clusters)[.._used])
        {
            int count = 0;
            int blocks = 0;
            while (count < parts.Length && parts[count].Disk == cluster.Disk)
            {
                blocks += parts[count++].Blocks;
            }

            Take(cluster, parts[..count], _keys.AsSpan(key, blocks));
            parts = parts[count..];
            key += blocks;
        }

        tables.Blocks += _blocks;
        pump(_blocks + _passedOver);
        _parts.Clear();
        (_used, _blocks, _passedOver) = (0, 0, 0);
    }

    /// <summary>Processes an extent whose keys have been read.</summary>
    private void Take(ExtentCluster cluster, ReadOnlySpan<KeyPart> parts, Span<ulong> ownKeys)
    {
        int extent = checked((int)tables.Extents.Count);
        long pieceBlocks = 0;
        PieceFlags flags = PieceFlags.None;
        HashAll(ownKeys);
        foreach (Piece piece in cluster.Pieces)
        {
            pieceBlocks += piece.Blocks;
            flags |= piece.Flags;
        }

        AddPieces(cluster, parts, ownKeys, extent);
        _tails.Find(cluster);
        _tails.Mark(parts, ownKeys);
        AddKeys(parts, ownKeys);
        bool isGuessed = (flags & PieceFlags.Mapped) != 0 && cluster.Pieces[0].Compression != 0;
        tables.Extents.Add(new ExtentEntry
        {
            Disk = cluster.Disk,
            DiskBlocks = isGuessed ? ownKeys.Length : cluster.DiskBlocks(tables.BlockSize),
            PieceBlocks = pieceBlocks,
            Pieces = cluster.Pieces.Length,
            Holder = HolderOf(cluster, flags),
        });
    }

    private Holder HolderOf(ExtentCluster cluster, PieceFlags flags)
    {
        int pieces = cluster.Pieces.Length;

        // References from several snapshots through one shared leaf count once in the extent tree; so if it has more references
        // than were found, some are certainly held by others.
        bool isOthers = (flags & PieceFlags.Clipped) != 0 ||
            (references is not null && references(cluster.Disk) > (ulong)pieces) ||
            ((flags & PieceFlags.Shared) != 0 && pieces == 1);
        return isOthers ? Holder.Other
            : (flags & PieceFlags.MayBeInSnapshot) != 0 ? Holder.PerhapsSnapshot
            : Holder.None;
    }

    /// <summary>Hashes the beginning of the extent up to each block.</summary>
    private void HashAll(ReadOnlySpan<ulong> ownKeys)
    {
        _hashes[0] = 0;
        for (int i = 0; i < ownKeys.Length; i++)
        {
            _hashes[i + 1] = RollingHash.Append(_hashes[i], ownKeys[i]);
        }
    }

    private void AddPieces(ExtentCluster cluster, ReadOnlySpan<KeyPart> parts, ReadOnlySpan<ulong> ownKeys, int extent)
    {
        long slot = tables.Keys.Count;
        int part = 0;
        int before = 0;
        foreach (Piece piece in cluster.Pieces)
        {
            FilePiece found = new()
            {
                File = piece.File,
                FileBlock = piece.FileBlock,
                Blocks = piece.Blocks,
                Extent = extent,
                Slot = -1,
                IsUnknown = piece.Is(PieceFlags.Lone),
            };
            if (!piece.Is(PieceFlags.Unread) && piece.Blocks > 0)
            {
                for (; piece.First >= parts[part].First + parts[part].Blocks; part++)
                {
                    before += parts[part].Blocks;
                    slot += parts[part].Blocks + (IsGap(parts, part) ? 1 : 0);
                }

                int inPart = piece.First - parts[part].First;
                int start = before + inPart;
                found.Slot = slot + inPart;
                found.Hash = RollingHash.End(_hashes[start + piece.Blocks], _hashes[start], piece.Blocks);
                found.IsUnknown = ownKeys.Slice(start, piece.Blocks).Contains(IBlockKeys.Unknown);
                tables.Pieces.Add(new SlotPiece
                {
                    Slot = found.Slot,
                    FileBlock = piece.FileBlock,
                    File = piece.File,
                    Blocks = piece.Blocks,
                    Extent = extent,
                });
            }

            tables.FilePieces.Add(found);
        }
    }

    private void AddKeys(ReadOnlySpan<KeyPart> parts, ReadOnlySpan<ulong> ownKeys)
    {
        for (int i = 0; i < parts.Length; i++)
        {
            tables.Keys.Add(ownKeys[..parts[i].Blocks]);
            ownKeys = ownKeys[parts[i].Blocks..];
            if (IsGap(parts, i))
            {
                tables.Keys.Add(IBlockKeys.Unknown);
            }
        }
    }

    /// <summary>Whether the block after a part is not searched.</summary>
    private static bool IsGap(ReadOnlySpan<KeyPart> parts, int part) =>
        part == parts.Length - 1 || parts[part + 1].First > parts[part].First + parts[part].Blocks;
}
