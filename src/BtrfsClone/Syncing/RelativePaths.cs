namespace BtrfsClone.Syncing;

/// <summary>The paths of a subvolume's inodes relative to directories in it. Each parent directory is looked up once.</summary>
internal sealed class RelativePaths
{
    // A deeper tree contains a cycle: the filesystem is damaged.
    private const int Deepest = 1 << 16;

    private readonly Dictionary<ulong, (ulong Parent, FileName Name)?> _directories = [];
    private readonly InodeNames _inodes;

    /// <param name="inodes">The subvolume's names.</param>
    /// <param name="known">Directories, with their parents and names, that were read before.</param>
    public RelativePaths(InodeNames inodes, IEnumerable<(ulong Directory, ulong Parent, FileName Name)> known)
    {
        _inodes = inodes;
        foreach ((ulong directory, ulong parent, FileName name) in known)
        {
            Add(directory, parent, name);
        }
    }

    /// <summary>
    /// The names on the path from the top directory to a directory; none for the top directory itself. Null if it is not below it.
    /// </summary>
    /// <param name="directory">The directory's inode number.</param>
    /// <param name="top">The inode number of the top directory.</param>
    /// <exception cref="BtrfsException">The tree cannot be read.</exception>
    public FileName[]? Of(ulong directory, ulong top)
    {
        var names = new List<FileName>();
        for (ulong at = directory; at != top;)
        {
            if (Find(at) is not { } place || names.Count > Deepest)
            {
                return null;
            }

            names.Add(place.Name);
            at = place.Parent;
        }

        names.Reverse();
        return [.. names];
    }

    private (ulong Parent, FileName Name)? Find(ulong directory)
    {
        if (!_directories.TryGetValue(directory, out (ulong Parent, FileName Name)? place))
        {
            // A directory has one name.
            List<(ulong Directory, FileName Name)> names = _inodes.Of(directory);
            place = names.Count == 1 ? Add(directory, names[0].Directory, names[0].Name) : Add(directory, directory, default);
        }

        return place;
    }

    /// <summary>A subvolume's root has no name in its own tree except "..", which refers to itself.</summary>
    private (ulong Parent, FileName Name)? Add(ulong directory, ulong parent, FileName name) =>
        _directories[directory] = directory == parent ? null : (parent, name);
}
