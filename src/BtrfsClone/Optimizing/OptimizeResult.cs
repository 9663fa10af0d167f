namespace BtrfsClone.Optimizing;

/// <summary>What optimizing one item came to, or would come to. Lengths are bytes of extents.</summary>
public sealed record OptimizeResult
{
    /// <summary>The file or directory.</summary>
    public required string Path { get; init; }

    /// <summary>How many extents have new ones in their place, which hold only what is in use.</summary>
    public required long ExtentsReplaced { get; init; }

    /// <summary>
    /// The bytes that the filesystem has got back: those of the extents that are gone, less those of the new ones. Metadata are
    /// not counted.
    /// </summary>
    public required long GainedLength { get; init; }

    /// <summary>The bytes of the new extents, compressed as they may be.</summary>
    public required long WrittenLength { get; init; }

    /// <summary>
    /// The bytes that nobody can reach and that stay: a read-only snapshot, or a file that may not or could not be moved, holds
    /// the rest of their extents.
    /// </summary>
    public required long LeftLength { get; init; }

    /// <summary>How many files and directories failed; each was reported on its own.</summary>
    public required long Failed { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Elapsed { get; init; }
}
