using BtrfsClone.Interop;

namespace BtrfsClone.Owning;

/// <summary>
/// Where paths of a filesystem are visible: its mounts, with that of the item first. Paths are bytes, stored as Latin-1 text.
/// </summary>
internal sealed class VisiblePaths
{
    private readonly List<Mount> _all;
    private readonly List<Mount> _mounts;

    /// <param name="mount">The id of the mount that the item is on.</param>
    public VisiblePaths(ulong mount)
    {
        _all = MountTable.Read() ?? [];
        Mount own = _all.Find(one => one.Id == mount);
        _mounts = own.Point is null ? [] : [own, .. _all.Where(one => one.Device == own.Device && one.Id != mount)];
    }

    /// <summary>The visible path; null if there is none.</summary>
    /// <param name="path">The path from the filesystem's top level, with a leading slash.</param>
    public string? Of(string path)
    {
        foreach (Mount mount in _mounts)
        {
            if (IsBelow(path, mount.Root))
            {
                string seen = Join(mount.Point, mount.Root.Length == 1 ? path : path[mount.Root.Length..]);
                if (!IsHidden(seen, mount))
                {
                    return seen;
                }
            }
        }

        return null;
    }

    /// <summary>Whether a later mount hides what a mount shows at a path.</summary>
    private bool IsHidden(string path, in Mount by)
    {
        for (int i = _all.Count - 1; i >= 0 && _all[i].Id != by.Id; i--)
        {
            if (IsBelow(path, _all[i].Point))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsBelow(string path, string directory) =>
        directory.Length == 1 ||
        (path.StartsWith(directory, StringComparison.Ordinal) &&
            (path.Length == directory.Length || path[directory.Length] == '/'));

    private static string Join(string point, string path) => point.Length == 1 ? path : path.Length == 1 ? point : point + path;
}
