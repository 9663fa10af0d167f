namespace BtrfsClone.Cloning;

/// <summary>A snapshot of a set that was taken.</summary>
/// <param name="path">Its path below the set's first one; empty for that.</param>
internal sealed class SnapshotMember(byte[] path)
{
    public byte[] Path { get; } = path;

    /// <summary>The number of its tree; 0 where it is not known.</summary>
    public ulong Tree { get; set; }

    /// <summary>What is nested in its subvolume.</summary>
    public List<NestedSubvolume> Nested { get; } = [];
}
