namespace BtrfsClone.Sending;

/// <summary>How directories are sent.</summary>
public sealed record SendOptions
{
    /// <summary>The newest version of the stream's format that is written here.</summary>
    public const int NewestProtocol = 2;

    /// <summary>
    /// The version of the stream's format. 1 is understood by every <c>btrfs receive</c>; 2, which needs btrfs-progs 6.0, keeps
    /// compressed extents as they are and preallocated room.
    /// </summary>
    public int Protocol { get; init; } = NewestProtocol;

    /// <summary>Leaves out other filesystems that are mounted below the directories. Their mount points are sent empty.</summary>
    public bool OneFileSystem { get; init; }
}
