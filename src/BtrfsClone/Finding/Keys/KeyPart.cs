namespace BtrfsClone.Finding;

/// <summary>Blocks of one extent, and a place in a file where they can be read.</summary>
internal struct KeyPart
{
    /// <summary>Where the extent begins, in bytes of the filesystem's logical addresses.</summary>
    public long Disk;

    /// <summary>The first block inside the extent, uncompressed.</summary>
    public int First;

    public int Blocks;

    /// <summary>How long the whole extent is on disk.</summary>
    public int DiskBlocks;

    /// <summary>0 is none (BTRFS_COMPRESS_*).</summary>
    public byte Compression;

    /// <summary>Its data has no checksums.</summary>
    public bool NoChecksum;

    /// <summary>A file that the blocks belong to.</summary>
    public int File;

    /// <summary>Where the first of them is in the file.</summary>
    public long FileBlock;
}

/// <summary>
/// Says of blocks what they hold, in 8 bytes: blocks of the same content have the same key, and others as good as always
/// another one.
/// </summary>
internal interface IBlockKeys
{
    /// <summary>What stands for a block of which nothing is known. No block has it.</summary>
    const ulong Unknown = 0;

    /// <summary>
    /// How many bytes of each block the keys stand for at least: where they are few, one block alone is no evidence.
    /// </summary>
    int Evidence { get; }

    /// <summary>The key of a block of zeros.</summary>
    ulong Zeros(bool noChecksum);

    /// <summary>Fills in the keys of parts, one after the other; parts come in the order of their extents and blocks.</summary>
    /// <exception cref="BtrfsException">Reading failed as a whole.</exception>
    void Read(ReadOnlySpan<KeyPart> parts, Span<ulong> keys);
}
