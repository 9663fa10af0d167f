using System.Text.Json.Serialization;

namespace BtrfsClone.Owning;

/// <summary>
/// One reference to a data extent: a file extent, in any subvolume, under one name of the file. A file with several names gives one
/// object per name. Offsets and lengths are in bytes.
/// </summary>
public sealed class BtrfsExtentOwner
{
    /// <summary>The start of the extent in the filesystem's logical address space (disk_bytenr).</summary>
    public long DiskOffset { get; internal init; }

    /// <summary>The size of the whole extent on disk, after compression (disk_num_bytes).</summary>
    public long DiskLength { get; internal init; }

    /// <summary>
    /// The file's absolute path; null if it is not visible in any mount of the process, or the file has no name any more.
    /// </summary>
    public string? Path { get; internal init; }

    /// <summary>The offset of the file extent in the file.</summary>
    public long Offset { get; internal init; }

    /// <summary>The number of bytes of the file (num_bytes).</summary>
    public long Length { get; internal init; }

    /// <summary>The offset of the file extent in the uncompressed extent (offset).</summary>
    public long ExtentOffset { get; internal init; }

    /// <summary>
    /// The subvolume's path from the filesystem's top level, such as <c>/home</c>; <c>/</c> is the top level itself. Null for a
    /// subvolume that is being deleted.
    /// </summary>
    public string? Subvolume { get; internal init; }

    /// <summary>The subvolume's id; 5 is the top level.</summary>
    public long SubvolumeId { get; internal init; }

    /// <summary>The file's inode number in its subvolume.</summary>
    public long Inode { get; internal init; }

    /// <summary>The file's path in its subvolume, without a leading slash; null if it has no name any more.</summary>
    public string? PathInSubvolume { get; internal init; }

    /// <summary>The file was deleted but is still open; or its whole subvolume is being deleted.</summary>
    public bool IsDeleted { get; internal init; }

    /// <summary>The last component of <see cref="Path"/>.</summary>
    [JsonIgnore]
    public string? Name => Path is null ? null : PathText.NameOf(Path);

    /// <summary><see cref="Path"/>, under the name that file and directory objects use.</summary>
    [JsonIgnore]
    public string? FullName => Path;

    /// <summary><see cref="Path"/>, under the name by which parameters for literal paths bind from the pipeline.</summary>
    [JsonIgnore]
    public string? PSPath => Path;
}
