namespace BtrfsClone.Cloning;

/// <summary>What kind of snapshot a <see cref="SnapshotClone"/> takes.</summary>
public sealed record SnapshotOptions
{
    /// <summary>Takes snapshots of nested subvolumes too, in their places: of all of them, or none at all.</summary>
    public bool Recurse { get; init; }

    /// <summary>Makes the snapshot read-only, and those in it.</summary>
    public bool ReadOnly { get; init; }
}
