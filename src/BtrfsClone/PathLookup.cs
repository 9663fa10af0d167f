using BtrfsClone.Interop;

namespace BtrfsClone;

/// <summary>Absolute paths of what a path leads to, byte by byte as the kernel takes it; see <see cref="PathText"/>.</summary>
public static class PathLookup
{
    /// <summary>
    /// The absolute path without <c>.</c> and <c>..</c>. A <c>..</c> after a symbolic link is the directory above the
    /// link's target, as for the kernel. A slash at the end stays: it says that the path is a directory's.
    /// </summary>
    /// <param name="path">The path, relative to the process's working directory unless it begins with a slash.</param>
    /// <returns>The path; what it names need not exist, but for what stands before a <c>..</c>.</returns>
    /// <exception cref="BtrfsException">
    /// The working directory is gone, or what stands before a <c>..</c> is no directory or may not be looked up.
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

    /// <summary>The path that a symbolic link leads to.</summary>
    /// <param name="path">Any path.</param>
    /// <returns>The absolute path of the link's target, without links in it; of what is no link the path itself.</returns>
    /// <exception cref="BtrfsException">The link leads nowhere, or may not be looked up.</exception>
    public static string ThroughLink(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        bool isLink = Sys.Stat(path, follow: false, out Statx status).Succeeded && status.FileType == Sys.ModeSymlink;
        return isLink ? Real(path) : path;
    }

    /// <summary>The bytes that the kernel takes for a path.</summary>
    /// <param name="path">A path, or a part of one.</param>
    /// <returns>The bytes, without a zero byte at the end.</returns>
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

    /// <summary>Goes to the directory above, by the name alone only where that is no link.</summary>
    private static void GoUp(List<string> parts, string path)
    {
        if (parts.Count == 0)
        {
            return; // The root is above itself.
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
