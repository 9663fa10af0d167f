using System.Text.Json.Serialization;

namespace BtrfsClone.Owning;

/// <summary>
/// One reference to a data extent: a piece of a file, in any subvolume, under one of the file's names. A file with several
/// names is one for each. Offsets and lengths are bytes.
/// </summary>
public sealed class BtrfsExtentOwner
{
    /// <summary>Where the extent begins in the filesystem's logical address space (disk_bytenr).</summary>
    public long DiskOffset { get; internal init; }

    /// <summary>Bytes that the whole extent takes there, compressed as it may be (disk_num_bytes).</summary>
    public long DiskLength { get; internal init; }

    /// <summary>
    /// The file's absolute path; null where no mount that the process sees shows it, and where the file has no name any more.
    /// </summary>
    public string? Path { get; internal init; }

    /// <summary>Where in the file the piece begins.</summary>
    public long Offset { get; internal init; }

    /// <summary>Bytes of the file in the piece (num_bytes).</summary>
    public long Length { get; internal init; }

    /// <summary>Where inside the extent, uncompressed, the piece begins (offset).</summary>
    public long ExtentOffset { get; internal init; }

    /// <summary>
    /// The subvolume's path from the filesystem's top level on, such as <c>/home</c>; <c>/</c> is the top level itself. Null of
    /// a subvolume that is being deleted.
    /// </summary>
    public string? Subvolume { get; internal init; }

    /// <summary>The subvolume's id; 5 is the top level.</summary>
    public long SubvolumeId { get; internal init; }

    /// <summary>The file's inode number in its subvolume.</summary>
    public long Inode { get; internal init; }

    /// <summary>The file's path in its subvolume, without a slash at its beginning; null of one that has no name any more.</summary>
    public string? PathInSubvolume { get; internal init; }

    /// <summary>The file has been deleted, and something has it open still; or its whole subvolume is being deleted.</summary>
    public bool IsDeleted { get; internal init; }

    /// <summary>The last name of <see cref="Path"/>.</summary>
    [JsonIgnore]
    public string? Name => Path is null ? null : PathText.NameOf(Path);

    /// <summary><see cref="Path"/>, as files and directories call it.</summary>
    [JsonIgnore]
    public string? FullName => Path;

    /// <summary><see cref="Path"/>, as parameters call it that take literal paths from a pipeline.</summary>
    [JsonIgnore]
    public string? PSPath => Path;
}
