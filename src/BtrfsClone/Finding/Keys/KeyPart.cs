namespace BtrfsClone.Finding;

/// <summary>Blocks of one extent, and a position in a file where they can be read.</summary>
internal struct KeyPart
{
    /// <summary>The start of the extent in the filesystem's logical address space, in bytes.</summary>
    public long Disk;

    /// <summary>The first block, as an offset in the uncompressed extent.</summary>
    public int First;

    public int Blocks;

    /// <summary>The length of the whole extent on disk.</summary>
    public int DiskBlocks;

    /// <summary>0 means none (BTRFS_COMPRESS_*).</summary>
    public byte Compression;

    /// <summary>Its data has no checksums.</summary>
    public bool NoChecksum;

    /// <summary>A file that contains the blocks.</summary>
    public int File;

    /// <summary>The position of the first block in the file.</summary>
    public long FileBlock;
}

/// <summary>
/// Identifies the content of blocks by 8 bytes: blocks with equal content have the same key, and others practically always
/// different ones.
/// </summary>
internal interface IBlockKeys
{
    /// <summary>The key of a block about which nothing is known. No known block has it.</summary>
    const ulong Unknown = 0;

    /// <summary>
    /// The minimum number of bytes of each block from which the keys are derived: if they are few, a single equal block is no
    /// evidence.
    /// </summary>
    int Evidence { get; }

    /// <summary>The key of a block of zeros.</summary>
    ulong Zeros(bool noChecksum);

    /// <summary>Fills in the keys of parts, one after the other; parts come in the order of their extents and blocks.</summary>
    /// <exception cref="BtrfsException">Reading failed completely.</exception>
    void Read(ReadOnlySpan<KeyPart> parts, Span<ulong> keys);
}
