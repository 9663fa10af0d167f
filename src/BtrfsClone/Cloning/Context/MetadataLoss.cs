namespace BtrfsClone.Cloning;

/// <summary>The kinds of metadata of a file.</summary>
public enum MetadataKind
{
    /// <summary>Extended attributes, including file capabilities (xattr(7)).</summary>
    ExtendedAttribute,

    /// <summary>Access control lists: POSIX ACLs (acl(5)) and NFS ACLs.</summary>
    AccessControlList,

    /// <summary>Inode flags (chattr(1)), and btrfs's properties.</summary>
    InodeFlag,

    /// <summary>The owner and group.</summary>
    Owner,

    /// <summary>The permission bits.</summary>
    Mode,

    /// <summary>The access and modification times.</summary>
    Time,

    /// <summary>Space preallocated beyond the end of a file (fallocate(2) with FALLOC_FL_KEEP_SIZE).</summary>
    Preallocation,
}

/// <summary>Metadata of one kind that clones lack, because their destination cannot store it or their source does not report it.</summary>
/// <param name="Kind">What was lost.</param>
/// <param name="Count">How many times: an entry can lose several items of one kind.</param>
/// <param name="Names">The names, such as <c>user.comment</c>: all of them, or the first eight.</param>
/// <param name="AreAllNamed">Whether <paramref name="Names"/> is complete.</param>
/// <param name="ChangesAccess">
/// Some of it controlled access. Instead of such an ACL, a mode was set that grants no more access to anyone than the ACL did.
/// </param>
public sealed record MetadataLoss(
    MetadataKind Kind, long Count, IReadOnlyList<string> Names, bool AreAllNamed, bool ChangesAccess)
{
    /// <summary>Why it was lost, as part of a sentence; null if a filesystem is the cause.</summary>
    internal string? Cause { get; init; }

    /// <summary>The loss as one or two sentences.</summary>
    public string Description
    {
        get
        {
            string names = string.Join(", ", AreAllNamed ? Names : Names.Append("..."));
            string them = Count == 1 ? "it" : "them";
            string access = ChangesAccess && Kind == MetadataKind.AccessControlList
                ? " The mode grants no one more than the lost ACL did."
                : "";
            string cause = Cause ??
                $"the destination's filesystem has no place for {them}, or the source's does not give {them}";
            return $"{Count} {Noun(Kind)}{(Count == 1 ? "" : "s")} could not be kept ({names}): {cause}.{access}";
        }
    }

    private static string Noun(MetadataKind kind) => kind switch
    {
        MetadataKind.ExtendedAttribute => "extended attribute",
        MetadataKind.AccessControlList => "ACL",
        MetadataKind.InodeFlag => "inode flag",
        MetadataKind.Owner => "owner",
        MetadataKind.Mode => "mode",
        MetadataKind.Time => "time",
        _ => "preallocated range",
    };
}
