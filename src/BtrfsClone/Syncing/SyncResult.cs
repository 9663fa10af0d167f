namespace BtrfsClone.Syncing;

/// <summary>What a sync came to. Lengths are bytes; directories, links and special files count as entries, too.</summary>
public sealed class SyncResult : ItemResult
{
    /// <summary>The source.</summary>
    public string Source { get; internal init; } = "";

    /// <summary>The destination.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>Entries that were missing.</summary>
    public long Created { get; internal init; }

    /// <summary>Entries whose places others took.</summary>
    public long Replaced { get; internal init; }

    /// <summary>Files that got only the ranges that differed.</summary>
    public long Patched { get; internal init; }

    /// <summary>Entries that got metadata alone.</summary>
    public long Updated { get; internal init; }

    /// <summary>Entries that were removed, those below removed directories included.</summary>
    public long Deleted { get; internal init; }

    /// <summary>
    /// Entries that were equal; null where they were not looked at, since nothing had changed there since the last sync.
    /// </summary>
    public long? Unchanged { get; internal init; }

    /// <summary>Bytes of the regular files that were created, replaced or patched, by their sizes.</summary>
    public long Length { get; internal init; }

    /// <summary>Bytes that are shared anew.</summary>
    public long SharedLength { get; internal init; }

    /// <summary>Bytes that were copied, not cloned (<see cref="Cloning.ReflinkMode.Auto"/> only).</summary>
    public long CopiedLength { get; internal init; }

    /// <summary>Entries that failed; each was reported on its own.</summary>
    public long Failed { get; internal init; }

    /// <summary>The time that it took.</summary>
    public TimeSpan Elapsed { get; internal init; }
}
