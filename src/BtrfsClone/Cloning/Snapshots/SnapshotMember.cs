namespace BtrfsClone.Cloning;

/// <summary>A snapshot in a set.</summary>
/// <param name="path">Its path below the set's first one; empty for that.</param>
internal sealed class SnapshotMember(byte[] path)
{
    public byte[] Path { get; } = path;

    /// <summary>The id of its tree; 0 if it is not known.</summary>
    public ulong Tree { get; set; }

    /// <summary>The subvolumes nested in its subvolume.</summary>
    public List<NestedSubvolume> Nested { get; } = [];
}
