using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>The path of a directory in its subvolume, and so in a snapshot of that.</summary>
internal static unsafe class PathInSubvolume
{
    /// <summary>Goes up to the subvolume's root, without leaving the subvolume, and opens it for reading.</summary>
    public static Failure OpenRoot(DirectoryPair pair, out HeldDirectory? root)
    {
        root = null;
        if (!Sys.FileSystemMagic(pair.Source, out long magic).Failed && magic != Sys.BtrfsMagic)
        {
            return Failure.Refused(BtrfsError.NotBtrfs, atSource: true);
        }

        CallResult result = HeldDirectory.Open(pair.Source, pair.SourcePath, out HeldDirectory? at);
        Statx below = default;
        while (!result.Failed)
        {
            using HeldDirectory current = at!;
            result = current.Stat(out Statx status);
            if (result.Failed)
            {
                return Failure.Source(SystemCall.Statx, result);
            }

            if (status.Inode == Sys.SubvolumeRootInode)
            {
                result = current.OpenBelow(".\0"u8, out root);
                break;
            }

            if (below.Inode != 0 && (status.Device != below.Device || status.Inode == below.Inode))
            {
                return Failure.Refused(BtrfsError.MountInBetween, atSource: true);
            }

            below = status;
            result = current.OpenAbove(out at);
        }

        return result.Failed ? Failure.Source(SystemCall.OpenAt, result) : default;
    }

    /// <summary>Opens the directory in the snapshot that has the same path as another one in the subvolume.</summary>
    public static CallResult OpenIn(HeldDirectory snapshot, byte[] path, byte[] rootPath, out HeldDirectory? directory)
    {
        // Both are null-terminated; only the path of the root directory ends with a slash.
        int start = rootPath.Length == 2 ? 1 : rootPath.Length;
        byte[] relative = path.Length <= rootPath.Length ? [(byte)'.', 0] : path[start..];
        return snapshot.OpenBelow(relative, out directory, orPathOnly: true);
    }

    /// <summary>Finds an open directory's real path, null-terminated.</summary>
    public static Failure Find(Descriptor directory, out byte[] path)
    {
        path = new byte[Sys.PathMax];
        byte* link = stackalloc byte[Descriptor.LongestPath];
        _ = directory.WritePath(new Span<byte>(link, Descriptor.LongestPath));
        CallResult length;
        fixed (byte* target = path)
        {
            length = Sys.ReadLink(Descriptor.WorkingDirectory, link, target, Sys.PathMax - 1);
        }

        path = path[..((int)length.Value + 1)];
        return length.Error is Errno.ENOENT or Errno.ENOTDIR
                ? Failure.Refused(BtrfsError.ProcNotMounted, atSource: true)
            : length.Failed ? Failure.Source(SystemCall.ReadlinkAt, length)
            : default;
    }
}
