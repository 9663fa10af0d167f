namespace BtrfsClone.Syncing;

/// <summary>What a sync does with an entry of the destination.</summary>
public enum SyncAction
{
    /// <summary>It is equal, and is not touched.</summary>
    Keep,

    /// <summary>It was missing, and is cloned.</summary>
    Create,

    /// <summary>It differs, and another takes its place in one step.</summary>
    Replace,

    /// <summary>It shares some of its data, and gets those that differ.</summary>
    Patch,

    /// <summary>Only its metadata differ, and are set where it is.</summary>
    Update,

    /// <summary>The source has it not, and it is removed.</summary>
    Delete,
}

/// <summary>One step of a sync: what is done with a name of the destination.</summary>
public sealed class SyncChange : ItemResult
{
    /// <summary>What is done: the name of a <see cref="SyncAction"/>.</summary>
    public string Action { get; internal init; } = "";

    /// <summary>The entry's path at the destination; bytes that are not UTF-8 are as <see cref="PathText"/> has them.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>What the entry is, at the source, or of what is removed: the name of a <see cref="Cloning.EntryKind"/>.</summary>
    public string Kind { get; internal init; } = "";

    /// <summary>The size in bytes of a regular file at the source; else 0.</summary>
    public long Length { get; internal init; }

    /// <summary>Bytes that are shared anew.</summary>
    public long SharedLength { get; internal init; }
}
