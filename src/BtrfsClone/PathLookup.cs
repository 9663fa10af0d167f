using BtrfsClone.Interop;

namespace BtrfsClone;

/// <summary>Converts paths to absolute paths, byte by byte as the kernel interprets them; see <see cref="PathText"/>.</summary>
public static class PathLookup
{
    /// <summary>
    /// The absolute path without <c>.</c> and <c>..</c>. A <c>..</c> after a symbolic link is the parent of the link's target, as
    /// for the kernel. A trailing slash is kept: it means that the path is a directory.
    /// </summary>
    /// <param name="path">The path, relative to the process's working directory unless it begins with a slash.</param>
    /// <returns>The path; it need not exist, except for the part before a <c>..</c>.</returns>
    /// <exception cref="BtrfsException">
    /// The working directory was deleted, or the part before a <c>..</c> is not a directory or cannot be looked up.
    /// </exception>
    public static string Absolute(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        string full = path.StartsWith('/') ? path : $"{WorkingDirectory(path)}/{path}";
        List<string> parts = [];
        foreach (string part in full.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == "..")
            {
                GoUp(parts, path);
            }
            else if (part != ".")
            {
                parts.Add(part);
            }
        }

        bool isDirectory = path.EndsWith('/') || path.EndsWith("/.", StringComparison.Ordinal);
        return Join(parts) + (isDirectory && parts.Count > 0 ? "/" : "");
    }

    /// <summary>Resolves a symbolic link.</summary>
    /// <param name="path">Any path.</param>
    /// <returns>The absolute path of the link's target, without links in it; the path itself if it is not a link.</returns>
    /// <exception cref="BtrfsException">The link is dangling, or cannot be looked up.</exception>
    public static string ThroughLink(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        bool isLink = Sys.Stat(path, follow: false, out Statx status).Succeeded && status.FileType == Sys.ModeSymlink;
        return isLink ? Real(path) : path;
    }

    /// <summary>The bytes of a path as the kernel expects them.</summary>
    /// <param name="path">A path, or part of one.</param>
    /// <returns>The bytes, without a terminating null.</returns>
    public static byte[] BytesOf(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Utf8Z.From(path)[..^1];
    }

    private static string Real(string link)
    {
        CallResult result = Sys.GetRealPath(link, out string real);
        return result.Succeeded ? real : throw BtrfsException.FromErrno(result.Error, SystemCall.RealPath, link);
    }

    private static string WorkingDirectory(string path)
    {
        CallResult result = Sys.GetWorkingDirectory(out string directory);
        return result.Succeeded ? directory : throw BtrfsException.FromErrno(result.Error, SystemCall.GetCwd, path);
    }

    /// <summary>Goes to the parent directory, lexically only if the last component is not a link.</summary>
    private static void GoUp(List<string> parts, string path)
    {
        if (parts.Count == 0)
        {
            return; // The parent of the root is the root.
        }

        string directory = ThroughLink(Join(parts));
        CallResult result = Sys.Stat(directory, follow: false, out Statx status);
        if (result.Succeeded && status.FileType != Sys.ModeDirectory)
        {
            result = Errno.ENOTDIR;
        }

        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.Statx, path);
        }

        parts.Clear();
        parts.AddRange(directory.Split('/', StringSplitOptions.RemoveEmptyEntries).SkipLast(1));
    }

    private static string Join(List<string> parts) => "/" + string.Join('/', parts);
}
