namespace BtrfsClone.Extents;

/// <summary>How a file extent is stored.</summary>
public enum ExtentKind
{
    /// <summary>In a data extent on disk.</summary>
    Data,

    /// <summary>Inline in the metadata, next to the inode.</summary>
    Inline,

    /// <summary>In an extent that is allocated but not written yet; it reads as zeros.</summary>
    Prealloc,

    /// <summary>Not stored; it reads as zeros.</summary>
    Hole,

    /// <summary>Only in memory: new data for which no disk space is allocated yet (delayed allocation).</summary>
    Delalloc,
}

/// <summary>How a file extent is compressed (BTRFS_COMPRESS_*, linux/btrfs_tree.h and fs/btrfs/fs.h).</summary>
public enum ExtentCompression
{
    /// <summary>Uncompressed.</summary>
    None,

    /// <summary>zlib.</summary>
    Zlib,

    /// <summary>LZO.</summary>
    Lzo,

    /// <summary>Zstandard.</summary>
    Zstd,
}

/// <summary>The source of extent information.</summary>
public enum ExtentSource
{
    /// <summary>The tree if it may be read, otherwise FIEMAP.</summary>
    Auto,

    /// <summary>
    /// FS_IOC_FIEMAP: requires no privilege and works on most filesystems, but reports neither extent boundaries (it merges file
    /// extents that are contiguous on disk) nor references; whatever it does not report is unknown.
    /// </summary>
    Fiemap,

    /// <summary>The items of btrfs's own trees (BTRFS_IOC_TREE_SEARCH_V2): reports everything, and requires CAP_SYS_ADMIN.</summary>
    Tree,
}
