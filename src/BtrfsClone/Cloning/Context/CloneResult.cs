namespace BtrfsClone.Cloning;

/// <summary>
/// The result of cloning one item. Lengths are in bytes. A snapshot (<see cref="SnapshotClone"/>) counts no entries and no bytes:
/// these are null.
/// </summary>
public sealed class CloneResult : ItemResult
{
    /// <summary>The item that was cloned.</summary>
    public string Source { get; internal init; } = "";

    /// <summary>The path of the clone.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>
    /// The type of the item: the name of an <see cref="EntryKind"/>, as text, so that JSON, CSV and remoting preserve it.
    /// </summary>
    public string Kind { get; internal init; } = "";

    /// <summary>Regular files created, not counting additional links to them.</summary>
    public long? Files { get; internal init; }

    /// <summary>Directories created or merged into.</summary>
    public long? Directories { get; internal init; }

    /// <summary>Symbolic links created.</summary>
    public long? SymbolicLinks { get; internal init; }

    /// <summary>Additional hard links created to files that this invocation had cloned.</summary>
    public long? HardLinks { get; internal init; }

    /// <summary>FIFOs, sockets and devices created.</summary>
    public long? SpecialFiles { get; internal init; }

    /// <summary>The sum of the sizes of the regular files.</summary>
    public long? Length { get; internal init; }

    /// <summary>Bytes that were copied, not cloned (<see cref="ReflinkMode.Auto"/> only): on another filesystem each extent once.</summary>
    public long CopiedLength { get; internal init; }

    /// <summary>
    /// Bytes that did not have to be copied to another filesystem, since they are shared there as at the source
    /// (<see cref="ReflinkMode.Auto"/> only).
    /// </summary>
    public long SharedLength { get; internal init; }

    /// <summary>
    /// The part of <see cref="CopiedLength"/> and <see cref="SharedLength"/> that is compressed at the source and was decompressed
    /// for copying to another btrfs; copying it compressed requires CAP_SYS_ADMIN and Linux 6.0 or newer.
    /// </summary>
    public long UnpackedLength { get; internal init; }

    /// <summary>
    /// The number of xattrs, ACLs, inode flags, owners, modes and times that are lost because the destination's filesystem cannot
    /// store them. It is 0 unless <see cref="ReflinkMode.Auto"/> copied, or the source is mounted with <c>noacl</c>.
    /// </summary>
    public long LostMetadata { get; internal init; }

    /// <summary>The number of snapshots taken: of the item, and of subvolumes nested in it; null for a clone.</summary>
    public long? Snapshots { get; internal init; }

    /// <summary>
    /// The time between the creation of the first and the last of these snapshots, as recorded by the kernel (otime of struct
    /// btrfs_root_item), by the system clock with the resolution of its tick, which is 1 to 10 ms. 0 for one snapshot, null for a
    /// clone.
    /// </summary>
    public TimeSpan? SnapshotSpread { get; internal init; }

    /// <summary>Entries that failed; each was reported individually.</summary>
    public long Failed { get; internal init; }

    /// <summary>The elapsed time.</summary>
    public TimeSpan Elapsed { get; internal init; }
}
