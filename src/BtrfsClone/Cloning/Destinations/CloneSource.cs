using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// An item as somebody has named it. A slash at the end asks for a directory, to which a link is followed; a last part
/// <c>.</c> or <c>..</c> stands for what is in a directory, as it does for cp(1).
/// </summary>
/// <param name="Path">The item's absolute path, for <see cref="CloneSession.Clone"/>.</param>
/// <param name="Name">The name that it gets in a directory: that of a link, where one was followed.</param>
/// <param name="IsContents">Whether what is in it goes into the destination, and it gets no name there.</param>
public sealed record CloneSource(string Path, string Name, bool IsContents)
{
    /// <summary>Finds the item that a path names.</summary>
    /// <param name="path">The absolute path, without <c>.</c> and <c>..</c>.</param>
    /// <param name="given">What was written for it, the end of which tells more.</param>
    /// <exception cref="BtrfsException">It was asked for as a directory and is none, or may not be looked up.</exception>
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
