using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>Where items go: into a directory, or to a new name. Paths are absolute.</summary>
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

    /// <summary>The directory that receives the items.</summary>
    internal string Directory { get; }

    /// <summary>The name of the clone, or null for the item's own.</summary>
    internal string? NewName { get; }

    /// <summary>Each item keeps its path relative to this directory.</summary>
    internal string? RelativeBase { get; }

    internal bool CreateDirectory { get; }

    /// <summary>The new name was given with a slash at its end: only a directory can get it.</summary>
    internal bool IsForDirectory { get; }

    /// <summary>
    /// Directories that were missing and are made: whatever is found in their places later, a link is not followed.
    /// </summary>
    internal HashSet<string> Made { get; } = new(StringComparer.Ordinal);

    /// <summary>A directory that receives items under their own names. It is made when the first item is cloned.</summary>
    /// <param name="directory">The directory's path. Those above it are made too if they are missing.</param>
    /// <param name="relativeBase">
    /// A directory: every item keeps its path relative to it, and the directories between are made with the metadata
    /// of those they stand for.
    /// </param>
    public static CloneDestination Into(string directory, string? relativeBase = null) =>
        new(Trim(directory), null, relativeBase is null ? null : Trim(relativeBase), create: true);

    /// <summary>An existing directory receives the item under its own name; any other path is the clone's name.</summary>
    /// <param name="path">The path. It is looked at now, once. One that ends with a slash names a directory.</param>
    public static CloneDestination Named(string path)
    {
        string trimmed = Trim(path);
        bool isDirectory = Sys.Stat(trimmed, follow: true, out Statx status) == 0 &&
            status.FileType == Sys.ModeDirectory;
        return isDirectory
            ? new(trimmed, null, null, create: false)
            : new(ParentOf(trimmed), NameOf(trimmed), null, create: false, isForDirectory: path.EndsWith('/'));
    }

    /// <summary>The full path that an item will get.</summary>
    /// <param name="source">The item's path.</param>
    /// <exception cref="BtrfsException"><see cref="BtrfsError.SourceOutsideBase"/>.</exception>
    public string TargetOf(string source) => Join(Directory, NewName ?? RelativePathOf(source));

    /// <summary>The same place below another directory, which is made if it is missing.</summary>
    internal CloneDestination MovedTo(string directory) => new(directory, NewName, RelativeBase, CreateDirectory);

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
