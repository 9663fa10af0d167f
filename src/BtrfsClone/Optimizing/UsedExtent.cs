using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>A piece of a file that refers to an extent. Lengths are bytes.</summary>
internal struct ExtentUse
{
    /// <summary>The file, and where in it the piece begins.</summary>
    public ExtentOwner Owner;

    /// <summary>The generation of the file's inode item.</summary>
    public ulong Generation;

    /// <summary>Where inside the extent, unpacked, the piece begins.</summary>
    public long ExtentOffset;

    /// <summary>The piece's length, whole blocks.</summary>
    public long Length;

    /// <summary>What of it lies before the file's end.</summary>
    public long Content;

    /// <summary>Whether the piece may be moved to another extent.</summary>
    public bool MayMove;

    public readonly long ExtentEnd => ExtentOffset + Length;

    /// <summary>The order by pieces of the extent, those of equal pieces by their places.</summary>
    public static int Compare(ExtentUse one, ExtentUse other)
    {
        int order = one.ExtentOffset.CompareTo(other.ExtentOffset);
        order = order != 0 ? order : one.Content.CompareTo(other.Content);
        return order != 0 ? order : ExtentOwner.Compare(one.Owner, other.Owner);
    }
}

/// <summary>A data extent, and what refers to it.</summary>
/// <param name="place">Where it begins on disk.</param>
/// <param name="diskLength">Its bytes there.</param>
/// <param name="ramLength">Its bytes unpacked.</param>
/// <param name="compression">How it is compressed.</param>
internal sealed class UsedExtent(long place, long diskLength, long ramLength, ExtentCompression compression)
{
    public long Place => place;

    public long DiskLength => diskLength;

    public long RamLength => ramLength;

    public ExtentCompression Compression => compression;

    /// <summary>All that refers to it, once it has been looked up.</summary>
    public List<ExtentUse> Uses { get; } = [];

    /// <summary>The id of the newest subvolume that there was then.</summary>
    public ulong NewestSubvolume { get; set; }

    /// <summary>There are more references than are looked at, or one whose file cannot be looked at.</summary>
    public bool IsUnclear { get; set; }
}
