namespace BtrfsClone.Cloning;

/// <summary>The kind of snapshot that a <see cref="SnapshotClone"/> takes.</summary>
public sealed record SnapshotOptions
{
    /// <summary>Also take snapshots of nested subvolumes, in their places: of all of them, or of none.</summary>
    public bool Recurse { get; init; }

    /// <summary>Make the snapshot and those in it read-only.</summary>
    public bool ReadOnly { get; init; }
}
