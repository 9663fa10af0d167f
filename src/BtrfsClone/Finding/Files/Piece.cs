namespace BtrfsClone.Finding;

/// <summary>What there is to know of a piece beside where it lies.</summary>
[Flags]
internal enum PieceFlags : byte
{
    None = 0,

    /// <summary>Preallocated: nothing has been written there, and it reads as zeros.</summary>
    Prealloc = 1,

    /// <summary>Its data has no checksums (NODATASUM), and can only share extents with such data.</summary>
    NoChecksum = 2,

    /// <summary>Its leaf is older than the subvolume's last snapshot, which may refer to the extent through it.</summary>
    MayBeInSnapshot = 4,

    /// <summary>A part of it lies beyond the file's end, where nothing can be merged.</summary>
    Clipped = 8,

    /// <summary>FIEMAP has told of it, which does not say where an extent begins and how long it is.</summary>
    Mapped = 16,

    /// <summary>FIEMAP says that others refer to the same place.</summary>
    Shared = 32,

    /// <summary>Its file is like no other one, so that it is not read.</summary>
    Lone = 64,

    /// <summary>Nothing of it is read.</summary>
    Unread = Prealloc | Lone,
}

/// <summary>
/// A piece of a file that lies on disk, in blocks of the filesystem. Pieces are sorted by where they lie.
/// </summary>
internal struct Piece : IComparable<Piece>
{
    /// <summary>Where the extent begins, in bytes of the filesystem's logical addresses (disk_bytenr).</summary>
    public long Disk;

    /// <summary>Where the piece begins in the file.</summary>
    public long FileBlock;

    /// <summary>The file's number in the <see cref="FileTable"/>.</summary>
    public int File;

    /// <summary>How long the whole extent is on disk (disk_num_bytes).</summary>
    public int DiskBlocks;

    /// <summary>Where in the extent the piece begins, uncompressed (offset).</summary>
    public int First;

    /// <summary>How long the piece is in the file.</summary>
    public int Blocks;

    /// <summary>Bytes of the last block that belong to the file, where it ends there; otherwise 0.</summary>
    public ushort Tail;

    public PieceFlags Flags;

    /// <summary>0 is none (BTRFS_COMPRESS_*).</summary>
    public byte Compression;

    public readonly bool Is(PieceFlags flag) => (Flags & flag) != 0;

    public readonly int CompareTo(Piece other)
    {
        int order = Disk.CompareTo(other.Disk);
        order = order != 0 ? order : First.CompareTo(other.First);
        order = order != 0 ? order : FileBlock.CompareTo(other.FileBlock);
        order = order != 0 ? order : Blocks.CompareTo(other.Blocks);
        return order != 0 ? order : File.CompareTo(other.File);
    }
}
