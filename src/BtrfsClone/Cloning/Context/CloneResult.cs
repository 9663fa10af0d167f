namespace BtrfsClone.Cloning;

/// <summary>
/// What one item's clone came to. Lengths are bytes. A snapshot (<see cref="SnapshotClone"/>) counts no entries and no
/// bytes: they are null.
/// </summary>
public sealed class CloneResult : ItemResult
{
    /// <summary>The item that was cloned.</summary>
    public string Source { get; internal init; } = "";

    /// <summary>Where the clone is now.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>What the item is: the name of an <see cref="EntryKind"/>, as text, which JSON, CSV and remoting keep.</summary>
    public string Kind { get; internal init; } = "";

    /// <summary>Regular files made, not counting further links to them.</summary>
    public long? Files { get; internal init; }

    /// <summary>Directories made or merged into.</summary>
    public long? Directories { get; internal init; }

    /// <summary>Symbolic links made.</summary>
    public long? SymbolicLinks { get; internal init; }

    /// <summary>Further hard links made to files that this invocation had cloned.</summary>
    public long? HardLinks { get; internal init; }

    /// <summary>FIFOs, sockets and devices made.</summary>
    public long? SpecialFiles { get; internal init; }

    /// <summary>Bytes that the regular files hold, by their sizes.</summary>
    public long? Length { get; internal init; }

    /// <summary>Bytes that were copied, not cloned (<see cref="ReflinkMode.Auto"/> only): on another filesystem each extent once.</summary>
    public long CopiedLength { get; internal init; }

    /// <summary>
    /// Bytes that did not have to be copied to another filesystem, since they are shared there as they are at the source
    /// (<see cref="ReflinkMode.Auto"/> only).
    /// </summary>
    public long SharedLength { get; internal init; }

    /// <summary>
    /// Bytes of <see cref="CopiedLength"/> and <see cref="SharedLength"/> that are compressed at the source and were unpacked on
    /// the way to another btrfs; packed they go only with CAP_SYS_ADMIN, on Linux 6.0 and newer.
    /// </summary>
    public long UnpackedLength { get; internal init; }

    /// <summary>
    /// Xattrs, ACLs, inode flags, owners, modes and times that the destination's filesystem cannot hold, and that are lost:
    /// each counts. It is 0 unless <see cref="ReflinkMode.Auto"/> copied, or the source is mounted with <c>noacl</c>.
    /// </summary>
    public long LostMetadata { get; internal init; }

    /// <summary>
    /// The snapshots that were taken: of the item, and of subvolumes nested in it; null where there was to be a clone.
    /// </summary>
    public long? Snapshots { get; internal init; }

    /// <summary>
    /// How far apart the moments of these snapshots are: the time from the first one's creation to the last one's, as the
    /// kernel has recorded them (otime of struct btrfs_root_item), by the system's clock and as exact as its tick, which is
    /// 1 to 10 ms. 0 for one snapshot, null for a clone.
    /// </summary>
    public TimeSpan? SnapshotSpread { get; internal init; }

    /// <summary>Entries that failed; each was reported on its own.</summary>
    public long Failed { get; internal init; }

    /// <summary>The time that it took.</summary>
    public TimeSpan Elapsed { get; internal init; }
}
