namespace BtrfsClone.Syncing;

/// <summary>
/// The places of a subvolume's inodes relative to directories of it. Each directory on a way is looked up once.
/// </summary>
/// <param name="inodes">The subvolume's names.</param>
/// <param name="known">Directories, with their parents and names, that were read before. Others are added.</param>
internal sealed class RelativePaths(InodeNames inodes, Dictionary<ulong, (ulong Parent, FileName Name)> known)
{
    // A tree deeper than this is a circle: a damaged filesystem.
    private const int Deepest = 1 << 16;

    private readonly HashSet<ulong> _nameless = [];

    /// <summary>The names on the way from the top to a directory; none for the top. Null where it is not below it.</summary>
    /// <param name="directory">The directory's inode number.</param>
    /// <param name="top">The top's.</param>
    /// <exception cref="BtrfsException">The tree cannot be read.</exception>
    public FileName[]? Of(ulong directory, ulong top)
    {
        var names = new List<FileName>();
        for (ulong at = directory; at != top;)
        {
            // A subvolume's root has no name in its own tree but "..", which is itself.
            if (Find(at) is not { } place || place.Parent == at || names.Count > Deepest)
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
        if (known.TryGetValue(directory, out (ulong Parent, FileName Name) place))
        {
            return place;
        }

        if (_nameless.Contains(directory) || inodes.OfDirectory(directory) is not { } found)
        {
            _nameless.Add(directory);
            return null;
        }

        known.Add(directory, found);
        return found;
    }
}
