using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>The directory that receives items: finds it, or opens it and creates it if it is missing.</summary>
internal static class DestinationDirectory
{
    /// <summary>The directory that the item goes into, or its nearest existing parent directory.</summary>
    public static string Nearest(CloneDestination destination)
    {
        string path = destination.Directory;
        CallResult result = Sys.Stat(path, follow: true, out Statx status);
        while (result.Is(Errno.ENOENT) && destination.CreateDirectory && path != "/")
        {
            path = CloneDestination.ParentOf(path);
            result = Sys.Stat(path, follow: true, out status);
        }

        if (result.Failed)
        {
            throw Failure.Destination(SystemCall.Statx, result).OnPath().ToException(path);
        }

        return status.FileType == Sys.ModeDirectory
            ? path
            : throw new BtrfsException(ErrorMeaning.OtherTypeInTheWay, path);
    }

    /// <summary>
    /// Opens the directory that receives items. If permitted, it and its missing parent directories are created, with the process's
    /// umask; a link that appears among them is not followed.
    /// </summary>
    public static Descriptor Open(CloneDestination destination) =>
        OpenOrMake(destination, destination.Directory, OpenFlags.ReadOnly | OpenFlags.NonBlock);

    private static Descriptor OpenOrMake(CloneDestination destination, string path, int flags)
    {
        Descriptor directory = Descriptor.None;
        CallResult result = destination.Made.Contains(path)
            ? Errno.ENOENT
            : destination.Lookup(path).Open(flags | OpenFlags.Directory, out directory);
        return !result.Failed ? directory
            : result.Is(Errno.ENOENT) && destination.CreateDirectory && path != "/" ? Make(destination, path, flags)
            : throw Failure.Destination(SystemCall.OpenAt, result).OnPath().ToException(path);
    }

    private static unsafe Descriptor Make(CloneDestination destination, string path, int flags)
    {
        string above = CloneDestination.ParentOf(path);
        using HeldDirectory parent = new(OpenOrMake(destination, above, OpenFlags.PathOnly), above);
        destination.Made.Add(path);
        fixed (byte* name = Utf8Z.From(CloneDestination.NameOf(path)))
        {
            Descriptor directory = Descriptor.None;
            CallResult result = Sys.MakeDirectory(parent.Descriptor, name, Sys.ModeAccess);
            SystemCall call = SystemCall.MkdirAt;
            if (!result.Failed || result.Is(Errno.EEXIST))
            {
                result = Sys.OpenAt(
                    parent.Descriptor, name, flags | OpenFlags.Directory | OpenFlags.NoFollow, out directory);
                call = SystemCall.OpenAt;
            }

            return !result.Failed ? directory
                : result.Error is Errno.ENOTDIR or Errno.ELOOP
                    ? throw new BtrfsException(ErrorMeaning.OtherTypeInTheWay, path)
                : throw Failure.Destination(call, result).ToException(path);
        }
    }
}
