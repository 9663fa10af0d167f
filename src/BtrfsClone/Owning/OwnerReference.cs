using BtrfsClone.Interop;

namespace BtrfsClone.Owning;

/// <summary>A name of a file: its path in its subvolume, and its absolute path, or null where it is not seen.</summary>
internal sealed record FileNameInSubvolume(string InSubvolume, string? Seen);

/// <summary>A reference to an extent on its way out.</summary>
internal struct OwnerReference
{
    /// <summary>Where in the order of what is asked for its extent stands.</summary>
    public int Order;

    public long DiskOffset;
    public long DiskLength;
    public ExtentOwner Owner;

    /// <summary>Whether it was still there when it was looked up.</summary>
    public bool IsThere;

    public long Length;
    public long ExtentOffset;

    /// <summary>The file's names: none if it has been deleted.</summary>
    public IReadOnlyList<FileNameInSubvolume> Names;

    public static int ByPlace(OwnerReference one, OwnerReference other)
    {
        int order = ExtentOwner.Compare(one.Owner, other.Owner);
        return order != 0 ? order : one.Order.CompareTo(other.Order);
    }

    public static int ByExtent(OwnerReference one, OwnerReference other)
    {
        int order = one.Order.CompareTo(other.Order);
        return order != 0 ? order : ByPlace(one, other);
    }
}
