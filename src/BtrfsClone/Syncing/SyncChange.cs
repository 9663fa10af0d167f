using BtrfsClone.Cloning;

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
/// <param name="Action">What is done.</param>
/// <param name="Path">The entry's path at the destination; bytes that are not UTF-8 are shown as <c>\xNN</c>.</param>
/// <param name="Kind">What the entry is: at the source, or of what is removed.</param>
/// <param name="Length">The size in bytes of a regular file at the source; else 0.</param>
/// <param name="SharedLength">Bytes that are shared anew.</param>
public sealed record SyncChange(SyncAction Action, string Path, EntryKind Kind, long Length, long SharedLength);
