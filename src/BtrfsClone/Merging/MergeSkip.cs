namespace BtrfsClone.Merging;

/// <summary>Why something in a tree was passed over.</summary>
public enum MergeSkip
{
    /// <summary>The other tree has nothing of that name.</summary>
    OnlyInPath,

    /// <summary>Only the reference has something of that name.</summary>
    OnlyInReference,

    /// <summary>One is a file or a directory, and the other is something else.</summary>
    OtherKind,
}
