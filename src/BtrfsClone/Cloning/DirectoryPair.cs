using System.Text;
using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// A source directory and the destination directory that it is cloned into: their descriptors, what is known of
/// them, and, while a <see cref="TreeWalk"/> has it, the work that is left in it.
/// </summary>
internal sealed class DirectoryPair
{
    // NAME_MAX of nearly every filesystem (linux/limits.h), with the zero.
    private const int UsualNameSize = 256;

    private readonly string? _sourcePath;
    private readonly string? _destinationPath;

    /// <summary>A pair to <see cref="Begin"/> with.</summary>
    public DirectoryPair() => OpenNode = new LinkedListNode<DirectoryPair>(this);

    /// <summary>A pair that nothing is finished for: two directories that items are taken from and put into.</summary>
    public DirectoryPair(string sourcePath, string destinationPath)
        : this()
    {
        _sourcePath = sourcePath;
        _destinationPath = destinationPath;
    }

    public DirectoryPair(DirectoryPair parent, byte[] sourceName, byte[] destinationName)
        : this()
    {
        Parent = parent;
        SourceName = sourceName;
        DestinationName = destinationName;
    }

    public DirectoryPair? Parent { get; private set; }

    /// <summary>The name in the parent, ended by a zero.</summary>
    public byte[] SourceName { get; private set; } = [];

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

    public bool IsOpen => Destination >= 0;

    public Statx SourceStatus;

    public Statx DestinationStatus;

    public InodeFlags SourceFlags { get; set; }

    /// <summary>The inode flags that a new entry of the destination gets by itself.</summary>
    public InodeFlags InheritedFlags { get; set; }

    /// <summary>A new entry of the destination also gets xattrs: a default ACL or a compression property.</summary>
    public bool InheritsXattrs { get; set; }

    /// <summary>The destination directory existed before, with metadata of its own.</summary>
    public bool Merged { get; set; }

    // What follows belongs to the walk and is guarded by its lock.
    public NameQueue Subdirectories { get; } = new();

    public bool Listed { get; set; }

    public bool Listing { get; set; }

    public bool Queued { get; set; }

    public bool Finishing { get; set; }

    /// <summary>It could not be opened again: its entries and its metadata are out of reach.</summary>
    public bool Lost { get; set; }

    /// <summary>A hard link may be made from it later, so its names have to stay. So have those of its parents.</summary>
    public bool IsPinned { get; private set; }

    /// <summary>Its place among the walk's open pairs, in the list while it is open.</summary>
    public LinkedListNode<DirectoryPair> OpenNode { get; }

    public int ActiveWorkers { get; set; }

    public int LiveChildren { get; set; }

    /// <summary>Where the listing goes on when the source had to be closed in between.</summary>
    public long ListOffset { get; set; }

    public bool HasWork => !Listed || !Subdirectories.IsEmpty;

    public bool IsIdle => ActiveWorkers == 0 && LiveChildren == 0 && !HasWork && !Finishing;

    /// <summary>The group that a new entry of the destination gets: the directory's where it is setgid.</summary>
    public uint GroupOfNew(uint processGroup) =>
        (DestinationStatus.Mode & Sys.ModeSetGid) != 0 ? DestinationStatus.Gid : processGroup;

    /// <summary>Makes a new or a finished and closed pair stand for another directory.</summary>
    public void Begin(DirectoryPair parent, ReadOnlySpan<byte> name)
    {
        Parent = parent;
        if (SourceName.Length <= name.Length)
        {
            SourceName = DestinationName = new byte[Math.Max(UsualNameSize, name.Length + 1)];
        }

        name.CopyTo(SourceName);
        SourceName[name.Length] = 0;
        InMoment = InheritsXattrs = Merged = Listed = Listing = Queued = Finishing = Lost = false;
        Mounts = null;
        Subdirectories.Clear();
        ActiveWorkers = LiveChildren = 0;
        ListOffset = 0;
    }

    public void Pin()
    {
        for (DirectoryPair? pair = this; pair is { IsPinned: false }; pair = pair.Parent)
        {
            pair.IsPinned = true;
        }
    }

    public void Close()
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

        Source = Destination = SourceAbove = -1;
    }

    public string SourcePath => Path(p => p._sourcePath, p => p.SourceName);

    public string DestinationPath => Path(p => p._destinationPath, p => p.DestinationName);

    public string PathOf(bool atSource, ReadOnlySpan<byte> name) =>
        Join(atSource ? SourcePath : DestinationPath, Utf8Z.ToText(name));

    private static string Join(string directory, string name) =>
        directory.EndsWith('/') ? directory + name : directory + "/" + name;

    private string Path(Func<DirectoryPair, string?> top, Func<DirectoryPair, byte[]> name)
    {
        var names = new List<byte[]>();
        DirectoryPair pair = this;
        while (pair.Parent is not null)
        {
            names.Add(name(pair));
            pair = pair.Parent;
        }

        var path = new StringBuilder(top(pair));
        for (int i = names.Count - 1; i >= 0; i--)
        {
            if (path.Length == 0 || path[^1] != '/')
            {
                path.Append('/');
            }

            path.Append(Utf8Z.ToText(Utf8Z.Span(names[i])));
        }

        return path.ToString();
    }
}
