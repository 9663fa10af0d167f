namespace BtrfsClone.Optimizing;

/// <summary>The actual or expected result of optimizing one item. Lengths are bytes of extents.</summary>
public sealed class OptimizeResult : ItemResult
{
    /// <summary>The file or directory.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>The number of extents replaced by new ones, which contain only the data in use.</summary>
    public long ExtentsReplaced { get; internal init; }

    /// <summary>The number of these new extents.</summary>
    public long ExtentsWritten { get; internal init; }

    /// <summary>
    /// The number of small extents, adjacent in all files, that are not joined because a read-only snapshot or a file that may not
    /// be moved uses one of them.
    /// </summary>
    public long ExtentsLeft { get; internal init; }

    /// <summary>The bytes freed: those of the removed extents, minus those of the new ones. Metadata is not counted.</summary>
    public long GainedLength { get; internal init; }

    /// <summary>The size of the new extents, after compression.</summary>
    public long WrittenLength { get; internal init; }

    /// <summary>
    /// The unreachable bytes that remain: a read-only snapshot, or a file that may not or could not be moved, holds the rest of
    /// their extents.
    /// </summary>
    public long LeftLength { get; internal init; }

    /// <summary>
    /// The bytes of old extents that were replaced but remain: a snapshot taken at the time of the move, or a file that could not
    /// be moved, holds them.
    /// </summary>
    public long HeldLength { get; internal init; }

    /// <summary>The number of files and directories that failed; each was reported individually.</summary>
    public long Failed { get; internal init; }

    /// <summary>The elapsed time.</summary>
    public TimeSpan Elapsed { get; internal init; }
}
