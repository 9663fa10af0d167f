using BtrfsClone.Interop;

namespace BtrfsClone.Owning;

/// <summary>A name of a file: its path in its subvolume, and its absolute path, or null if no mount shows it.</summary>
internal sealed record FileNameInSubvolume(string InSubvolume, string? Seen);

/// <summary>A reference to an extent while it is being resolved.</summary>
internal struct OwnerReference
{
    /// <summary>The position of its extent in the requested order.</summary>
    public int Order;

    public long DiskOffset;
    public long DiskLength;
    public ExtentOwner Owner;

    /// <summary>Whether it still existed when it was looked up.</summary>
    public bool IsThere;

    public long Length;
    public long ExtentOffset;

    /// <summary>The names of the file: none if it was deleted.</summary>
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
