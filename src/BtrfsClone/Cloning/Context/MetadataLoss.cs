namespace BtrfsClone.Cloning;

/// <summary>What belongs to a file beside its data.</summary>
public enum MetadataKind
{
    /// <summary>Extended attributes, file capabilities among them (xattr(7)).</summary>
    ExtendedAttribute,

    /// <summary>Access control lists: those of POSIX (acl(5)) and of NFS.</summary>
    AccessControlList,

    /// <summary>Inode flags (chattr(1)), and btrfs's properties.</summary>
    InodeFlag,

    /// <summary>The owner and the group.</summary>
    Owner,

    /// <summary>The permission bits.</summary>
    Mode,

    /// <summary>The times of access and modification.</summary>
    Time,

    /// <summary>Room that is preallocated beyond a file's end (fallocate(2) with FALLOC_FL_KEEP_SIZE).</summary>
    Preallocation,
}

/// <summary>
/// Metadata of one kind that clones do not have, since their destination cannot hold it or their source does not give it.
/// </summary>
/// <param name="Kind">What was lost.</param>
/// <param name="Count">How often: an entry can lose several of a kind.</param>
/// <param name="Names">What it is called, such as <c>user.comment</c>: all of it, or the first eight names.</param>
/// <param name="AreAllNamed">Whether <paramref name="Names"/> is all.</param>
/// <param name="ChangesAccess">
/// Some of it said who may do what. In the place of such an ACL a mode was set that grants no one more than the ACL did.
/// </param>
public sealed record MetadataLoss(
    MetadataKind Kind, long Count, IReadOnlyList<string> Names, bool AreAllNamed, bool ChangesAccess)
{
    /// <summary>Why it was lost, as a part of a sentence; null where a filesystem is the cause.</summary>
    internal string? Cause { get; init; }

    /// <summary>The loss as one sentence, or two.</summary>
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
