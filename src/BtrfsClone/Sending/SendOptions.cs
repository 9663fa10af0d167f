namespace BtrfsClone.Sending;

/// <summary>Options for sending directories.</summary>
public sealed record SendOptions
{
    /// <summary>The newest version of the stream format that is supported here.</summary>
    public const int NewestProtocol = 2;

    /// <summary>
    /// The version of the stream format. 1 is supported by every <c>btrfs receive</c>; 2, which requires btrfs-progs 6.0, preserves
    /// compressed extents and preallocated space.
    /// </summary>
    public int Protocol { get; init; } = NewestProtocol;

    /// <summary>Skip other filesystems that are mounted below the directories. Their mount points are sent as empty directories.</summary>
    public bool OneFileSystem { get; init; }
}
