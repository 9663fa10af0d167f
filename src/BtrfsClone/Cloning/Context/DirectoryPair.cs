using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// A source directory and the destination directory that it is cloned to: their descriptors, and what is known about them. Its name
/// is the source's.
/// </summary>
internal class DirectoryPair : WalkNode<DirectoryPair>
{
    private readonly string? _sourcePath;
    private readonly string? _destinationPath;
    private readonly LookupPath? _destinationLookup;

    /// <summary>A pair that <see cref="Begin"/> initializes.</summary>
    public DirectoryPair()
    {
    }

    /// <summary>A pair that is not finished: two directories that contain items and their clones.</summary>
    /// <param name="sourcePath">The source's path.</param>
    /// <param name="destinationPath">The destination's path, as known to the user.</param>
    /// <param name="destinationLookup">Where it currently leads, if elsewhere.</param>
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

    /// <summary>The name in the destination's parent, null-terminated.</summary>
    public byte[] DestinationName { get; private set; } = [];

    public Descriptor Source { get; set; }

    public Descriptor Destination { get; set; }

    /// <summary>It is an item given by the user, not a directory on the path to one.</summary>
    public bool IsItem { get; init; }

    /// <summary>It was found by a walk, not given by the user.</summary>
    public bool IsFound { get; private set; }

    /// <summary>The source is the target of a symbolic link of its name: from there, ".." leads elsewhere.</summary>
    public bool IsFollowedLink { get; set; }

    /// <summary>Whether the source is read from a snapshot (<see cref="PointInTime"/>).</summary>
    public bool InSnapshot { get; set; }

    /// <summary>The mounts below the source, if it is read from a snapshot, which does not include them.</summary>
    public MountsBelow? Mounts { get; set; }

    /// <summary>
    /// The directory that was replaced as the source by a snapshot of its own, if any: only its ".." leads to the parent's source,
    /// so the pair stays open.
    /// </summary>
    public Descriptor SourceAbove { get; set; }

    /// <summary>An item's own directory, which was replaced as the source by the snapshot's, if any. The pair stays open.</summary>
    public Descriptor Replaced { get; set; }

    /// <summary>The open source directory in its current state, not in a snapshot; or none.</summary>
    public Descriptor LiveSource => InSnapshot ? Replaced : Source;

    public override bool IsOpen => Destination.IsOpen;

    public override Descriptor Descriptor => Source;

    public override bool MayBeReopened => !SourceAbove.IsOpen && !Replaced.IsOpen;

    public override bool LeadsUp => !IsFollowedLink;

    public override bool MayBeUsedAgain => !IsPinned;

    public Statx SourceStatus;

    public Statx DestinationStatus;

    public InodeFlags SourceFlags { get; set; }

    /// <summary>The inode flags that an existing destination had when it was checked.</summary>
    public InodeFlags DestinationFlags { get; set; }

    /// <summary>An existing destination had xattrs when it was checked.</summary>
    public bool HasXattrs { get; set; }

    /// <summary>The inode flags that a new entry of the destination inherits.</summary>
    public InodeFlags InheritedFlags { get; set; }

    /// <summary>
    /// The destination is owned by another user, not root, who can change at any time what its new entries inherit: a group, a
    /// default ACL.
    /// </summary>
    public bool IsForeign { get; set; }

    /// <summary>A new entry of the destination also inherits xattrs: a default ACL or a compression property.</summary>
    public bool InheritsXattrs { get; set; }

    /// <summary>Entries can be created in the destination, but not replaced or removed.</summary>
    public bool IsAppendOnly { get; set; }

    /// <summary>The destination directory existed before, with its own metadata.</summary>
    public bool Merged { get; set; }

    /// <summary>An earlier item of the invocation has created the destination directory, and so everything in it.</summary>
    public bool IsOfEarlierItem { get; set; }

    /// <summary>Entries created in the destination directory are recorded, so that no later item replaces them.</summary>
    public bool RecordsEntries { get; set; }

    /// <summary>The destination directory is new, and no one else may write to it until it is finished.</summary>
    public bool IsPrivate => Parent is not null && !Merged;

    /// <summary>A hard link may be created from it later, so its names must be kept, as must those of its parents.</summary>
    public bool IsPinned { get; private set; }

    /// <summary>
    /// The group that a new entry of the destination gets: the directory's if it is setgid, and an invalid group id if it is
    /// unknown.
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

    /// <summary>How the destination of a pair without a parent is looked up again.</summary>
    public LookupPath DestinationLookup => _destinationLookup ?? new LookupPath(_destinationPath!);

    public string PathOf(bool atSource, ReadOnlySpan<byte> name) =>
        Join(atSource ? SourcePath : DestinationPath, Utf8Z.ToText(name));
}
