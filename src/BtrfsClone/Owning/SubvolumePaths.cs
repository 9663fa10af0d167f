using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Owning;

/// <summary>A directory: its path in its subvolume, and its visible path. Latin-1 text, each with a trailing slash.</summary>
/// <param name="InSubvolume">The path, without a leading slash; empty for the subvolume's root.</param>
/// <param name="Seen">The absolute path, or null.</param>
internal sealed record DirectoryPath(string InSubvolume, string? Seen);

/// <summary>
/// The paths of subvolumes and directories of one filesystem, by their numbers. Each is looked up once, and a bounded number of
/// them is cached.
/// </summary>
internal sealed class SubvolumePaths
{
    private const int MostDirectories = 1 << 16;

    // No real tree is as deep; a cycle in a damaged one is.
    private const int MostLevels = 1 << 16;

    private readonly TreeSearch _search = new();
    private readonly VisiblePaths _visible;
    private readonly Dictionary<ulong, string?> _subvolumes = [];
    private readonly Dictionary<(ulong Subvolume, ulong Inode), DirectoryPath?> _directories = [];
    private SubvolumeTable? _table;

    /// <param name="file">An open file on the filesystem.</param>
    /// <param name="path">The path to use in error messages.</param>
    /// <param name="visible">The mounts that show paths.</param>
    public SubvolumePaths(Descriptor file, string path, VisiblePaths visible)
    {
        _search.Start(file, path);
        _visible = visible;
    }

    /// <summary>Continues with another open file on the filesystem.</summary>
    public void Use(Descriptor file, string path) => _search.Start(file, path);

    /// <summary>The path of a subvolume from the top level, with a leading slash; null if it is being deleted.</summary>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public string? OfSubvolume(ulong subvolume)
    {
        if (subvolume == BtrfsKey.TopLevel)
        {
            return "/";
        }

        if (_subvolumes.TryGetValue(subvolume, out string? path))
        {
            return path;
        }

        // For a subvolume newer than the table, the table is read again.
        if (_table is null || !_table.TryFindEntry(subvolume, out SubvolumeEntry entry))
        {
            _table = SubvolumeTable.Read(_search);
            _ = _table.TryFindEntry(subvolume, out entry);
        }

        // Stored as unknown in the meantime, so that a cycle ends.
        _subvolumes[subvolume] = null;
        if (entry.Name is not null && OfSubvolume(entry.Parent) is string parent &&
            InSubvolume(entry.Parent, entry.Directory) is string directory)
        {
            path = parent.TrimEnd('/') + "/" + directory + entry.Name;
        }

        _subvolumes[subvolume] = path;
        return path;
    }

    /// <summary>The path of a directory; null if it was deleted.</summary>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public DirectoryPath? OfDirectory(ulong subvolume, ulong inode)
    {
        if (_directories.TryGetValue((subvolume, inode), out DirectoryPath? found))
        {
            return found;
        }

        if (InSubvolume(subvolume, inode) is string path && OfSubvolume(subvolume) is string top)
        {
            string? seen = _visible.Of(path.Length == 0 ? top : $"{top.TrimEnd('/')}/{path[..^1]}");
            found = new DirectoryPath(path, seen is null or "/" ? seen : seen + "/");
        }

        if (_directories.Count == MostDirectories)
        {
            _directories.Clear();
        }

        _directories[(subvolume, inode)] = found;
        return found;
    }

    /// <summary>A directory's path in its subvolume, with a trailing slash, of any length.</summary>
    private string? InSubvolume(ulong subvolume, ulong inode)
    {
        var names = new Stack<string>();
        string path = "";
        while (inode != BtrfsKey.FirstFree)
        {
            if (_directories.TryGetValue((subvolume, inode), out DirectoryPath? known) && known is not null)
            {
                path = known.InSubvolume;
                break;
            }

            if (names.Count == MostLevels || !TryFindName(subvolume, inode, out inode, out string name))
            {
                return null;
            }

            names.Push(name);
        }

        return path + string.Concat(names.Select(name => name + "/"));
    }

    /// <summary>The only name of a directory.</summary>
    private bool TryFindName(ulong subvolume, ulong inode, out ulong directory, out string name)
    {
        (directory, name) = (0, "");
        CallResult found = _search.TryFind(
            subvolume,
            new ItemKey(inode, BtrfsKey.InodeRef, 0),
            new ItemKey(inode, BtrfsKey.InodeRef, ulong.MaxValue),
            count: 1);
        if (found.Failed && !found.Is(Errno.ENOENT))
        {
            throw BtrfsException.FromErrno(found.Error, SystemCall.TreeSearch, _search.Path);
        }

        if (!_search.Next(out TreeSearchHeader header, out ReadOnlySpan<byte> item))
        {
            return false;
        }

        if (!InodeItems.TryReadName(header, item, out directory, out ReadOnlySpan<byte> bytes))
        {
            throw _search.Malformed();
        }

        name = System.Text.Encoding.Latin1.GetString(bytes);
        return true;
    }
}
