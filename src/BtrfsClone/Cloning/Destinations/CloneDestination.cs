using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>The destination of items: a directory to put them into, or a new name. Paths are absolute.</summary>
public sealed class CloneDestination
{
    private CloneDestination(
        string directory, string? newName, string? relativeBase, bool create, bool isForDirectory = false)
    {
        Directory = directory;
        NewName = newName;
        RelativeBase = relativeBase;
        CreateDirectory = create;
        IsForDirectory = isForDirectory;
    }

    /// <summary>
    /// During an atomic clone: an existing directory, and the folder that stands in for it until the clone appears there.
    /// </summary>
    private (string Directory, Descriptor Folder)? Staging { get; init; }

    /// <summary>The directory that receives the items.</summary>
    internal string Directory { get; }

    /// <summary>The name of the clone, or null for the item's own.</summary>
    internal string? NewName { get; }

    /// <summary>Each item keeps its path relative to this directory.</summary>
    internal string? RelativeBase { get; }

    internal bool CreateDirectory { get; }

    /// <summary>The new name was given with a trailing slash, so only a directory can get it.</summary>
    internal bool IsForDirectory { get; }

    /// <summary>Directories that did not exist and are created: if a link is found in place of one later, it is not followed.</summary>
    internal HashSet<string> Made { get; private init; } = new(StringComparer.Ordinal);

    /// <summary>A directory that receives items under their own names. It is created when the first item is cloned.</summary>
    /// <param name="directory">The directory's path. Missing parent directories are created too.</param>
    /// <param name="relativeBase">
    /// A directory: each item keeps its path relative to it, and the directories between are created with the metadata of their
    /// counterparts.
    /// </param>
    public static CloneDestination Into(string directory, string? relativeBase = null) =>
        new(Trim(directory), null, relativeBase is null ? null : Trim(relativeBase), create: true);

    /// <summary>An existing directory receives the item under its own name; any other path is the name of the clone.</summary>
    /// <param name="path">The path. It is checked now, once. A trailing slash means a directory.</param>
    /// <exception cref="BtrfsException">It is a link whose target cannot be looked up.</exception>
    public static CloneDestination Named(string path)
    {
        string trimmed = Trim(path);
        CallResult result = Sys.Stat(trimmed, follow: true, out Statx status);
        if (result.Failed && !result.Is(Errno.ENOENT) && Sys.Stat(trimmed, follow: false, out _).Succeeded)
        {
            // There may be a directory: a link that should have been followed must not be replaced.
            throw Failure.Destination(SystemCall.Statx, result).OnPath().ToException(trimmed);
        }

        return result.Succeeded && status.FileType == Sys.ModeDirectory
            ? new(trimmed, null, null, create: false)
            : Exactly(path);
    }

    /// <summary>
    /// The path itself is the name of the clone, even if it is an existing directory: a directory's contents are then cloned into
    /// it.
    /// </summary>
    /// <param name="path">The path. A trailing slash means a directory.</param>
    public static CloneDestination Exactly(string path)
    {
        string trimmed = Trim(path);
        return new(ParentOf(trimmed), NameOf(trimmed), null, create: false, isForDirectory: path.EndsWith('/'));
    }

    /// <summary>The destination of one of several items that are given with this destination.</summary>
    /// <param name="source">The item.</param>
    /// <exception cref="BtrfsException">The destination is a link that cannot be looked up.</exception>
    public CloneDestination For(CloneSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return NewName is not null || RelativeBase is not null ? this
            : source.IsContents ? new(ParentOf(Real), NameOf(Real), null, CreateDirectory) { Made = Made }
            : NameOf(source.Path) != source.Name ? new(Directory, source.Name, null, CreateDirectory) { Made = Made }
            : this;
    }

    /// <summary>The full path of an item's clone.</summary>
    /// <param name="source">The item's path.</param>
    /// <exception cref="BtrfsException"><see cref="BtrfsError.SourceOutsideBase"/>.</exception>
    public string TargetOf(string source) => Join(Directory, NewName ?? RelativePathOf(source));

    /// <summary>Whether items of both destinations go into the same directory, as an atomic clone requires.</summary>
    /// <param name="other">The other destination.</param>
    public bool IsBeside(CloneDestination other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Directory == other.Directory && RelativeBase == other.RelativeBase;
    }

    /// <summary>
    /// The same destination with the same paths, but whatever is at or below an existing directory is put into a staging folder.
    /// </summary>
    internal CloneDestination StagedIn(Descriptor folder, string directory) =>
        new(Directory, NewName, RelativeBase, CreateDirectory) { Staging = (directory, folder) };

    /// <summary>Where a path of the destination currently leads.</summary>
    internal LookupPath Lookup(string path)
    {
        if (Staging is not { } staging)
        {
            return new LookupPath(path);
        }

        string below = path[staging.Directory.Length..].TrimStart('/');
        return new LookupPath(staging.Folder, below.Length == 0 ? "." : below);
    }

    private string Real => PathLookup.ThroughLink(Directory);

    internal string RelativePathOf(string source)
    {
        if (RelativeBase is null)
        {
            return NameOf(Trim(source));
        }

        string prefix = RelativeBase.EndsWith('/') ? RelativeBase : RelativeBase + "/";
        string path = Trim(source);
        return path.StartsWith(prefix, StringComparison.Ordinal) && path.Length > prefix.Length
            ? path[prefix.Length..]
            : throw new BtrfsException(BtrfsError.SourceOutsideBase, source);
    }

    internal static string Join(string directory, string name) =>
        directory.EndsWith('/') ? directory + name : directory + "/" + name;

    internal static string Trim(string path)
    {
        string trimmed = path.TrimEnd('/');
        return trimmed.Length == 0 ? "/" : trimmed;
    }

    internal static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    internal static string ParentOf(string path)
    {
        int end = path.LastIndexOf('/');
        return end < 0 ? "." : end == 0 ? "/" : path[..end];
    }
}
