namespace BtrfsClone.Finding;

/// <summary>Flags of a file extent.</summary>
[Flags]
internal enum PieceFlags : byte
{
    None = 0,

    /// <summary>Preallocated: not written yet, reads as zeros.</summary>
    Prealloc = 1,

    /// <summary>Its data has no checksums (NODATASUM), and can only share extents with such data.</summary>
    NoChecksum = 2,

    /// <summary>Its leaf is older than the subvolume's last snapshot, which may reference the extent through it.</summary>
    MayBeInSnapshot = 4,

    /// <summary>A part of it is beyond the end of the file, where nothing can be merged.</summary>
    Clipped = 8,

    /// <summary>Reported by FIEMAP, which gives neither the start nor the length of the extent.</summary>
    Mapped = 16,

    /// <summary>FIEMAP reports that the address is shared.</summary>
    Shared = 32,

    /// <summary>Its file equals no other one, so it is not read.</summary>
    Lone = 64,

    /// <summary>None of it is read.</summary>
    Unread = Prealloc | Lone,
}

/// <summary>A file extent stored on disk, in filesystem blocks. Sorted by disk address.</summary>
internal struct Piece : IComparable<Piece>
{
    /// <summary>The start of the extent in the filesystem's logical address space, in bytes (disk_bytenr).</summary>
    public long Disk;

    /// <summary>The offset in the file.</summary>
    public long FileBlock;

    /// <summary>The file's number in the <see cref="FileTable"/>.</summary>
    public int File;

    /// <summary>The length of the whole extent on disk (disk_num_bytes).</summary>
    public int DiskBlocks;

    /// <summary>The offset in the uncompressed extent (offset).</summary>
    public int First;

    /// <summary>The length in the file.</summary>
    public int Blocks;

    /// <summary>The number of bytes of the last block that belong to the file, if the file ends there; otherwise 0.</summary>
    public ushort Tail;

    public PieceFlags Flags;

    /// <summary>0 means none (BTRFS_COMPRESS_*).</summary>
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
