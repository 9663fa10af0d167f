using BtrfsClone.Interop;

namespace BtrfsClone.Reporting;

/// <summary>Directories that are given together.</summary>
internal static class GivenDirectories
{
    /// <summary>Those that are not below another one, by whatever paths; each once, in order.</summary>
    public static IEnumerable<string> Outermost(IReadOnlyList<string> paths)
    {
        var given = new HashSet<(ulong Device, ulong Inode)>();
        List<string> distinct = [.. paths.Where(path => Identity(path) is not { } one || given.Add(one))];
        return distinct.Where(path => !Above(path).Any(given.Contains));
    }

    /// <summary>The parents of a directory, as the kernel resolves "..".</summary>
    private static IEnumerable<(ulong Device, ulong Inode)> Above(string path)
    {
        (ulong, ulong)? last = Identity(path);
        for (string up = path + "/.."; Identity(up) is { } one && one != last; up += "/..")
        {
            yield return one;
            last = one;
        }
    }

    private static (ulong Device, ulong Inode)? Identity(string path) =>
        Sys.Stat(path, follow: true, out Statx status).Succeeded ? (status.Device, status.Inode) : null;
}
