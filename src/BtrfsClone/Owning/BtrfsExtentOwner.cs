namespace BtrfsClone.Owning;

/// <summary>
/// One reference to a data extent: a piece of a file, in any subvolume, under one of the file's names. A file with several
/// names is one for each. Offsets and lengths are bytes.
/// </summary>
public sealed record BtrfsExtentOwner
{
    /// <summary>Where the extent begins in the filesystem's logical address space (disk_bytenr).</summary>
    public required long DiskOffset { get; init; }

    /// <summary>Bytes that the whole extent takes there, compressed as it may be (disk_num_bytes).</summary>
    public required long DiskLength { get; init; }

    /// <summary>
    /// The file's absolute path; null where no mount that the process sees shows it, and where the file has no name any more.
    /// </summary>
    public required string? Path { get; init; }

    /// <summary>Where in the file the piece begins.</summary>
    public required long Offset { get; init; }

    /// <summary>Bytes of the file in the piece (num_bytes).</summary>
    public required long Length { get; init; }

    /// <summary>Where inside the extent, uncompressed, the piece begins (offset).</summary>
    public required long ExtentOffset { get; init; }

    /// <summary>
    /// The subvolume's path from the filesystem's top level on, such as <c>/home</c>; <c>/</c> is the top level itself. Null of
    /// a subvolume that is being deleted.
    /// </summary>
    public required string? Subvolume { get; init; }

    /// <summary>The subvolume's id; 5 is the top level.</summary>
    public required long SubvolumeId { get; init; }

    /// <summary>The file's inode number in its subvolume.</summary>
    public required long Inode { get; init; }

    /// <summary>The file's path in its subvolume, without a slash at its beginning; null of one that has no name any more.</summary>
    public required string? PathInSubvolume { get; init; }

    /// <summary>The file has been deleted, and something has it open still; or its whole subvolume is being deleted.</summary>
    public required bool IsDeleted { get; init; }
}
