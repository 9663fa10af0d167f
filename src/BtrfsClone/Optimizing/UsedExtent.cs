using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>A file extent that refers to an extent. Lengths are in bytes.</summary>
internal struct ExtentUse
{
    /// <summary>The file, and the offset of the file extent in it.</summary>
    public ExtentOwner Owner;

    /// <summary>The generation of the file's inode item.</summary>
    public ulong Generation;

    /// <summary>The offset of the file extent in the uncompressed extent.</summary>
    public long ExtentOffset;

    /// <summary>The length of the file extent, in whole blocks.</summary>
    public long Length;

    /// <summary>The part of it before the end of the file.</summary>
    public long Content;

    /// <summary>Whether it may be moved to another extent.</summary>
    public bool MayMove;

    public readonly long ExtentEnd => ExtentOffset + Length;

    /// <summary>Orders by range in the extent, equal ranges by their positions in files.</summary>
    public static int Compare(ExtentUse one, ExtentUse other)
    {
        int order = one.ExtentOffset.CompareTo(other.ExtentOffset);
        order = order != 0 ? order : one.Content.CompareTo(other.Content);
        return order != 0 ? order : ExtentOwner.Compare(one.Owner, other.Owner);
    }
}

/// <summary>A data extent, and its uses.</summary>
/// <param name="place">Its start on disk.</param>
/// <param name="diskLength">Its size there.</param>
/// <param name="ramLength">Its uncompressed size.</param>
/// <param name="compression">How it is compressed.</param>
internal sealed class UsedExtent(long place, long diskLength, long ramLength, ExtentCompression compression)
{
    public long Place => place;

    public long DiskLength => diskLength;

    public long RamLength => ramLength;

    public ExtentCompression Compression => compression;

    /// <summary>All references to it, once they were looked up.</summary>
    public List<ExtentUse> Uses { get; } = [];

    /// <summary>The id of the newest subvolume at that time.</summary>
    public ulong NewestSubvolume { get; set; }

    /// <summary>There are more references than the limit, or one whose file cannot be examined.</summary>
    public bool IsUnclear { get; set; }
}
