namespace BtrfsClone.Optimizing;

/// <summary>What optimizing one item came to, or would come to. Lengths are bytes of extents.</summary>
public sealed class OptimizeResult : ItemResult
{
    /// <summary>The file or directory.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>How many extents have new ones in their place, which hold only what is in use.</summary>
    public long ExtentsReplaced { get; internal init; }

    /// <summary>How many extents these new ones are.</summary>
    public long ExtentsWritten { get; internal init; }

    /// <summary>
    /// How many small extents, next to one another in all files, are not joined, since a read-only snapshot or a file that may not
    /// be moved uses one of them.
    /// </summary>
    public long ExtentsLeft { get; internal init; }

    /// <summary>
    /// The bytes that the filesystem has got back: those of the extents that are gone, less those of the new ones. Metadata are
    /// not counted.
    /// </summary>
    public long GainedLength { get; internal init; }

    /// <summary>The bytes of the new extents, compressed as they may be.</summary>
    public long WrittenLength { get; internal init; }

    /// <summary>
    /// The bytes that nobody can reach and that stay: a read-only snapshot, or a file that may not or could not be moved, holds
    /// the rest of their extents.
    /// </summary>
    public long LeftLength { get; internal init; }

    /// <summary>
    /// The bytes of old extents that have new ones in their place and stay nevertheless: a snapshot that was taken in the moment of
    /// the move, or a file that could not be moved, holds them.
    /// </summary>
    public long HeldLength { get; internal init; }

    /// <summary>How many files and directories failed; each was reported on its own.</summary>
    public long Failed { get; internal init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Elapsed { get; internal init; }
}
