namespace BtrfsClone.Cloning;

/// <summary>
/// What one item's clone came to. Lengths are bytes. A snapshot (<see cref="SnapshotClone"/>) counts no entries and no
/// bytes: they are null.
/// </summary>
public sealed record CloneResult
{
    /// <summary>The item that was cloned.</summary>
    public required string Source { get; init; }

    /// <summary>Where the clone is now.</summary>
    public required string Path { get; init; }

    /// <summary>What the item is.</summary>
    public required EntryKind Kind { get; init; }

    /// <summary>Regular files made, not counting further links to them.</summary>
    public long? Files { get; init; }

    /// <summary>Directories made or merged into.</summary>
    public long? Directories { get; init; }

    /// <summary>Symbolic links made.</summary>
    public long? SymbolicLinks { get; init; }

    /// <summary>Further hard links made to files that this invocation had cloned.</summary>
    public long? HardLinks { get; init; }

    /// <summary>FIFOs, sockets and devices made.</summary>
    public long? SpecialFiles { get; init; }

    /// <summary>Bytes that the regular files hold, by their sizes.</summary>
    public long? Length { get; init; }

    /// <summary>Bytes that were copied, not cloned (<see cref="ReflinkMode.Auto"/> only).</summary>
    public long CopiedLength { get; init; }

    /// <summary>Entries that failed; each was reported on its own.</summary>
    public long Failed { get; init; }

    /// <summary>The time that it took.</summary>
    public TimeSpan Elapsed { get; init; }
}
