using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// How clones store their data: the inode flags for copy-on-write and compression, and btrfs's property "compression". They are the
/// source's, unless the options specify otherwise.
/// </summary>
internal sealed class StorageProperties(bool noCow, bool inherit, string? compression)
{
    private readonly InodeFlags _added = noCow ? InodeFlags.NoCow : InodeFlags.None;

    /// <summary>The flags that are inherited from the destination directory, as for any new file there.</summary>
    public InodeFlags Inherited { get; } = inherit ? InodeFlags.Inherited
        : CompressionProperty.IsInherited(compression) ? InodeFlags.Compress | InodeFlags.NoCompress
        : InodeFlags.None;

    /// <summary>The value of the property "compression" for all clones that can have one; or null.</summary>
    public byte[]? Compression { get; } =
        compression is null || CompressionProperty.IsInherited(compression) ? null : Utf8Z.From(compression.ToLowerInvariant())[..^1];

    /// <summary>Whether the property "compression" is the source's. NOCOW files cannot have it.</summary>
    public bool KeepsCompression => (Inherited | _added) == InodeFlags.None;

    /// <summary>The flags of a clone.</summary>
    /// <param name="source">The source's.</param>
    /// <param name="inherited">Those that a new entry inherits from the destination directory, or those of an existing directory.</param>
    public InodeFlags Of(InodeFlags source, InodeFlags inherited)
    {
        InodeFlags flags = (source & ~Inherited) | (inherited & Inherited) | _added;
        return flags.HasFlag(InodeFlags.NoCow) ? flags & ~InodeFlags.Compress : flags;
    }
}
