namespace BtrfsClone.Syncing;

/// <summary>The result of a sync. Lengths are in bytes; directories, links and special files also count as entries.</summary>
public sealed class SyncResult : ItemResult
{
    /// <summary>The source.</summary>
    public string Source { get; internal init; } = "";

    /// <summary>The destination.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>Entries that were missing and created.</summary>
    public long Created { get; internal init; }

    /// <summary>Entries that were replaced.</summary>
    public long Replaced { get; internal init; }

    /// <summary>Files that received only the ranges that differed.</summary>
    public long Patched { get; internal init; }

    /// <summary>Entries of which only metadata was updated.</summary>
    public long Updated { get; internal init; }

    /// <summary>Entries that were removed, including those below removed directories.</summary>
    public long Deleted { get; internal init; }

    /// <summary>Entries that were equal; null if they were not examined, since nothing had changed there since the last sync.</summary>
    public long? Unchanged { get; internal init; }

    /// <summary>The sum of the sizes of the regular files that were created, replaced or patched.</summary>
    public long Length { get; internal init; }

    /// <summary>Bytes that are newly shared.</summary>
    public long SharedLength { get; internal init; }

    /// <summary>Bytes that were copied, not cloned (<see cref="Cloning.ReflinkMode.Auto"/> only).</summary>
    public long CopiedLength { get; internal init; }

    /// <summary>Entries that failed; each was reported individually.</summary>
    public long Failed { get; internal init; }

    /// <summary>The elapsed time.</summary>
    public TimeSpan Elapsed { get; internal init; }
}
