namespace BtrfsClone.Extents;

/// <summary>How a piece of a file is stored.</summary>
public enum ExtentKind
{
    /// <summary>In a data extent on disk.</summary>
    Data,

    /// <summary>In the metadata itself, beside the inode.</summary>
    Inline,

    /// <summary>In an extent that is allocated and not written yet; it reads as zeros.</summary>
    Prealloc,

    /// <summary>Nowhere; it reads as zeros.</summary>
    Hole,

    /// <summary>In memory only: new data whose place on disk is not chosen yet (delayed allocation).</summary>
    Delalloc,
}

/// <summary>How a piece of a file is compressed (BTRFS_COMPRESS_*, linux/btrfs_tree.h and fs/btrfs/fs.h).</summary>
public enum ExtentCompression
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>zlib.</summary>
    Zlib,

    /// <summary>LZO.</summary>
    Lzo,

    /// <summary>Zstandard.</summary>
    Zstd,
}

/// <summary>Where extents are read from.</summary>
public enum ExtentSource
{
    /// <summary>The tree where it may be read, otherwise FIEMAP.</summary>
    Auto,

    /// <summary>
    /// FS_IOC_FIEMAP: needs no privilege and works on most filesystems, but knows neither extents as such (pieces that
    /// follow each other on disk are one to it) nor references, and what it does not know is unknown.
    /// </summary>
    Fiemap,

    /// <summary>
    /// The items of btrfs's own trees (BTRFS_IOC_TREE_SEARCH_V2): knows everything, and needs CAP_SYS_ADMIN.
    /// </summary>
    Tree,
}
