namespace BtrfsClone.Syncing;

/// <summary>
/// The places of a subvolume's inodes relative to directories of it. Each directory on a way is looked up once.
/// </summary>
/// <param name="inodes">The subvolume's names.</param>
internal sealed class RelativePaths(InodeNames inodes)
{
    // A tree deeper than this is a circle: a damaged filesystem.
    private const int Deepest = 1 << 16;

    private readonly Dictionary<ulong, (ulong Parent, FileName Name)?> _directories = [];

    /// <summary>The names on the way from the top to a directory; none for the top. Null where it is not below it.</summary>
    /// <param name="directory">The directory's inode number.</param>
    /// <param name="top">The top's.</param>
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

    /// <summary>Takes the name of a directory that was read anyway, which saves a search. Of very many only some are kept.</summary>
    public void Add(ulong directory, ulong parent, FileName name)
    {
        // A subvolume's root has none in its own tree but "..", which is itself.
        if (directory != parent && _directories.Count < ChangedInodes.Most)
        {
            _directories[directory] = (parent, name);
        }
    }

    private (ulong Parent, FileName Name)? Find(ulong directory)
    {
        if (!_directories.TryGetValue(directory, out (ulong Parent, FileName Name)? place))
        {
            // A directory has one name.
            List<(ulong Directory, FileName Name)> names = inodes.Of(directory);
            place = names.Count == 1 && names[0].Directory != directory ? names[0] : null;
            _directories.Add(directory, place);
        }

        return place;
    }
}
