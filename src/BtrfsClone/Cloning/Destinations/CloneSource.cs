using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// An item as given by the user. A trailing slash means a directory, and a link to one is followed; a last component <c>.</c> or
/// <c>..</c> means the contents of a directory, as in cp(1).
/// </summary>
/// <param name="Path">The item's absolute path, for <see cref="CloneSession.Clone"/>.</param>
/// <param name="Name">The name that it gets in a directory: that of the link, if one was followed.</param>
/// <param name="IsContents">Whether its contents go into the destination, without a name of its own there.</param>
public sealed record CloneSource(string Path, string Name, bool IsContents)
{
    /// <summary>Finds the item at a path.</summary>
    /// <param name="path">The absolute path, without <c>.</c> and <c>..</c>.</param>
    /// <param name="given">The path as given, whose end is significant.</param>
    /// <exception cref="BtrfsException">It was requested as a directory and is not one, or cannot be looked up.</exception>
    public static CloneSource Of(string path, string given)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(given);
        string item = CloneDestination.Trim(path);
        bool isContents = CloneDestination.NameOf(CloneDestination.Trim(given)) is "." or "..";
        if (!isContents && !given.EndsWith('/'))
        {
            return new CloneSource(item, CloneDestination.NameOf(item), IsContents: false);
        }

        CallResult result = Sys.Stat(item, follow: true, out Statx status);
        result = result.Succeeded && status.FileType != Sys.ModeDirectory ? Errno.ENOTDIR : result;
        return result.Failed
            ? throw Failure.Source(SystemCall.Statx, result).OnPath().ToException(item + "/")
            : new CloneSource(PathLookup.ThroughLink(item), CloneDestination.NameOf(item), isContents);
    }
}
