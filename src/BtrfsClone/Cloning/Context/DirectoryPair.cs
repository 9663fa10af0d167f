using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// A source directory and the destination directory that it is cloned into: their descriptors, and what is known of
/// them. Its name is the source's.
/// </summary>
internal class DirectoryPair : WalkNode<DirectoryPair>
{
    private readonly string? _sourcePath;
    private readonly string? _destinationPath;
    private readonly LookupPath? _destinationLookup;

    /// <summary>A pair to <see cref="Begin"/> with.</summary>
    public DirectoryPair()
    {
    }

    /// <summary>A pair that nothing is finished for: two directories that items are taken from and put into.</summary>
    /// <param name="sourcePath">The source's path.</param>
    /// <param name="destinationPath">The destination's path, as the user knows it.</param>
    /// <param name="destinationLookup">Where it leads for now, if elsewhere.</param>
    public DirectoryPair(string sourcePath, string destinationPath, LookupPath? destinationLookup = null)
    {
        _sourcePath = sourcePath;
        _destinationPath = destinationPath;
        _destinationLookup = destinationLookup;
    }

    public DirectoryPair(DirectoryPair parent, byte[] sourceName, byte[] destinationName)
    {
        Parent = parent;
        Name = sourceName;
        DestinationName = destinationName;
    }

    /// <summary>The name in the destination's parent, ended by a zero.</summary>
    public byte[] DestinationName { get; private set; } = [];

    public Descriptor Source { get; set; }

    public Descriptor Destination { get; set; }

    /// <summary>It is an item that somebody has named, and no directory on the way to one.</summary>
    public bool IsItem { get; init; }

    /// <summary>A walk has found it; nobody has named it.</summary>
    public bool IsFound { get; private set; }

    /// <summary>The source is what a symbolic link of its name leads to: from there, ".." leads elsewhere.</summary>
    public bool IsFollowedLink { get; set; }

    /// <summary>Whether the source is read from a snapshot (<see cref="PointInTime"/>).</summary>
    public bool InSnapshot { get; set; }

    /// <summary>What is mounted below the source, where a snapshot is read that does not show it.</summary>
    public MountsBelow? Mounts { get; set; }

    /// <summary>
    /// The directory whose place a snapshot of its own took as the source, if any: only from there does ".." lead up to
    /// the parent's source, so the pair stays open.
    /// </summary>
    public Descriptor SourceAbove { get; set; }

    /// <summary>An item's own directory, whose place the snapshot's took as the source, if any. The pair stays open.</summary>
    public Descriptor Replaced { get; set; }

    /// <summary>The open source directory as it is now, and not in a snapshot; or none.</summary>
    public Descriptor LiveSource => InSnapshot ? Replaced : Source;

    public override bool IsOpen => Destination.IsOpen;

    public override Descriptor Descriptor => Source;

    public override bool MayBeReopened => !SourceAbove.IsOpen && !Replaced.IsOpen;

    public override bool LeadsUp => !IsFollowedLink;

    public override bool MayBeUsedAgain => !IsPinned;

    public Statx SourceStatus;

    public Statx DestinationStatus;

    public InodeFlags SourceFlags { get; set; }

    /// <summary>The inode flags that the destination had when it was looked at, where it was there before.</summary>
    public InodeFlags DestinationFlags { get; set; }

    /// <summary>The destination had xattrs when it was looked at, where it was there before.</summary>
    public bool HasXattrs { get; set; }

    /// <summary>The inode flags that a new entry of the destination gets by itself.</summary>
    public InodeFlags InheritedFlags { get; set; }

    /// <summary>
    /// The destination belongs to somebody else but root, who may change at any moment what its new entries get by
    /// themselves: a group, a default ACL.
    /// </summary>
    public bool IsForeign { get; set; }

    /// <summary>A new entry of the destination also gets xattrs: a default ACL or a compression property.</summary>
    public bool InheritsXattrs { get; set; }

    /// <summary>Entries can be made in the destination, and neither replaced nor removed.</summary>
    public bool IsAppendOnly { get; set; }

    /// <summary>The destination directory existed before, with metadata of its own.</summary>
    public bool Merged { get; set; }

    /// <summary>An earlier item of the invocation has made the destination directory, and so all that is in it.</summary>
    public bool IsOfEarlierItem { get; set; }

    /// <summary>What is made in the destination directory is recorded, so that no later item replaces it.</summary>
    public bool RecordsEntries { get; set; }

    /// <summary>The destination directory is new, and nobody else may write in it until it is finished.</summary>
    public bool IsPrivate => Parent is not null && !Merged;

    /// <summary>A hard link may be made from it later, so its names have to stay. So have those of its parents.</summary>
    public bool IsPinned { get; private set; }

    /// <summary>
    /// The group that a new entry of the destination gets: the directory's where it is setgid, and one that is no
    /// group's number where nobody knows.
    /// </summary>
    public uint GroupOfNew(uint processGroup) => IsForeign ? Sys.Unchanged
        : (DestinationStatus.Mode & Sys.ModeSetGid) != 0 ? DestinationStatus.Gid : processGroup;

    public override void Begin(DirectoryPair parent, ReadOnlySpan<byte> name)
    {
        base.Begin(parent, name);
        DestinationName = Name;
        IsFound = true;
        IsFollowedLink = InSnapshot = IsForeign = InheritsXattrs = IsAppendOnly = Merged = IsOfEarlierItem = RecordsEntries = false;
        Mounts = null;
    }

    public void Pin()
    {
        for (DirectoryPair? pair = this; pair is { IsPinned: false }; pair = pair.Parent)
        {
            pair.IsPinned = true;
        }
    }

    public override void Close()
    {
        Sys.Close(Source);
        Sys.Close(Destination);
        Sys.Close(SourceAbove);
        Sys.Close(Replaced);
        Source = Destination = SourceAbove = Replaced = Descriptor.None;
    }

    protected override bool OpenAgain(DirectoryPair child)
    {
        Descriptor below = child.SourceAbove.IsOpen ? child.SourceAbove : child.Source;
        CallResult source = OpenDirectory.Above(below, SourceStatus, out Descriptor openedSource);
        CallResult destination = OpenDirectory.Above(child.Destination, DestinationStatus, out Descriptor openedDestination);
        (Source, Destination) = (openedSource, openedDestination);
        return source.Succeeded && destination.Succeeded;
    }

    public string SourcePath => PathBelow(p => p.Name, p => p._sourcePath!);

    public string DestinationPath => PathBelow(p => p.DestinationName, p => p._destinationPath!);

    /// <summary>How the destination of a pair without a parent is found again.</summary>
    public LookupPath DestinationLookup => _destinationLookup ?? new LookupPath(_destinationPath!);

    public string PathOf(bool atSource, ReadOnlySpan<byte> name) =>
        Join(atSource ? SourcePath : DestinationPath, Utf8Z.ToText(name));
}
