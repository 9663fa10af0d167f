namespace BtrfsClone.Syncing;

/// <summary>What a sync does with an entry of the destination.</summary>
public enum SyncAction
{
    /// <summary>It is equal, and is not changed.</summary>
    Keep,

    /// <summary>It was missing, and is cloned.</summary>
    Create,

    /// <summary>It differs, and is replaced atomically.</summary>
    Replace,

    /// <summary>It shares some of its data, and receives the ranges that differ.</summary>
    Patch,

    /// <summary>Only its metadata differs, and is set in place.</summary>
    Update,

    /// <summary>It does not exist at the source, and is removed.</summary>
    Delete,
}

/// <summary>One step of a sync: what is done with an entry of the destination.</summary>
public sealed class SyncChange : ItemResult
{
    /// <summary>The action: the name of a <see cref="SyncAction"/>.</summary>
    public string Action { get; internal init; } = "";

    /// <summary>The entry's path at the destination; bytes that are not UTF-8 are encoded as in <see cref="PathText"/>.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>
    /// The type of the entry at the source, or of the entry that is removed: the name of a <see cref="Cloning.EntryKind"/>.
    /// </summary>
    public string Kind { get; internal init; } = "";

    /// <summary>The size in bytes of a regular file at the source; otherwise 0.</summary>
    public long Length { get; internal init; }

    /// <summary>Bytes that are newly shared.</summary>
    public long SharedLength { get; internal init; }
}
