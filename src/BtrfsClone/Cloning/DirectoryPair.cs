using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// A source directory and the destination directory that it is cloned into: their descriptors, and what is known of
/// them. Its name is the source's.
/// </summary>
internal sealed class DirectoryPair : WalkNode<DirectoryPair>
{
    private readonly string? _sourcePath;
    private readonly string? _destinationPath;

    /// <summary>A pair to <see cref="Begin"/> with.</summary>
    public DirectoryPair()
    {
    }

    /// <summary>A pair that nothing is finished for: two directories that items are taken from and put into.</summary>
    public DirectoryPair(string sourcePath, string destinationPath)
    {
        _sourcePath = sourcePath;
        _destinationPath = destinationPath;
    }

    public DirectoryPair(DirectoryPair parent, byte[] sourceName, byte[] destinationName)
    {
        Parent = parent;
        Name = sourceName;
        DestinationName = destinationName;
    }

    /// <summary>The name in the destination's parent, ended by a zero.</summary>
    public byte[] DestinationName { get; private set; } = [];

    public int Source { get; set; } = -1;

    public int Destination { get; set; } = -1;

    /// <summary>Whether the source is read from a snapshot (<see cref="PointInTime"/>).</summary>
    public bool InMoment { get; set; }

    /// <summary>What is mounted below the source, where a snapshot is read that does not show it.</summary>
    public MountsBelow? Mounts { get; set; }

    /// <summary>
    /// The directory whose place a snapshot of its own took as the source, or -1: only from there does ".." lead up to
    /// the parent's source, so the pair stays open.
    /// </summary>
    public int SourceAbove { get; set; } = -1;

    /// <summary>An item's own directory, whose place the snapshot's took as the source, or -1. The pair stays open.</summary>
    public int Replaced { get; set; } = -1;

    /// <summary>The open source directory as it is now, and not in a snapshot; or -1.</summary>
    public int LiveSource => InMoment ? Replaced : Source;

    public override bool IsOpen => Destination >= 0;

    public override int Descriptor => Source;

    public override bool MayBeReopened => SourceAbove < 0 && Replaced < 0;

    public override bool MayBeUsedAgain => !IsPinned;

    public Statx SourceStatus;

    public Statx DestinationStatus;

    public InodeFlags SourceFlags { get; set; }

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
        InMoment = IsForeign = InheritsXattrs = IsAppendOnly = Merged = false;
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
        if (Source >= 0)
        {
            Sys.Close(Source);
        }

        if (Destination >= 0)
        {
            Sys.Close(Destination);
        }

        if (SourceAbove >= 0)
        {
            Sys.Close(SourceAbove);
        }

        if (Replaced >= 0)
        {
            Sys.Close(Replaced);
        }

        Source = Destination = SourceAbove = Replaced = -1;
    }

    public override bool Reopen(DirectoryPair child)
    {
        Source = OpenDirectory.Above(child.SourceAbove >= 0 ? child.SourceAbove : child.Source, SourceStatus);
        Destination = OpenDirectory.Above(child.Destination, DestinationStatus);
        if (Source < 0 || Destination < 0 || (!Listed && Sys.Seek(Source, ListOffset) < 0))
        {
            Close();
            return false;
        }

        return true;
    }

    public string SourcePath => PathBelow(p => p.Name, p => p._sourcePath!);

    public string DestinationPath => PathBelow(p => p.DestinationName, p => p._destinationPath!);

    public string PathOf(bool atSource, ReadOnlySpan<byte> name) =>
        Join(atSource ? SourcePath : DestinationPath, Utf8Z.ToText(name));
}
