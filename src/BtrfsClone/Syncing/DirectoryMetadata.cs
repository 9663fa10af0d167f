using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>Makes the metadata of directories equal, after all changes in them.</summary>
internal sealed class DirectoryMetadata(DirectoryCloner directories)
{
    /// <summary>Gives the directory the source's metadata, regardless of its current metadata.</summary>
    public Failure Apply(SyncWorker worker, SyncPair pair)
    {
        if (pair.Merged)
        {
            // Flags that the source has are set at the end.
            InodeFlags flags = pair.DestinationFlags;
            CallResult result = (flags & InodeFlags.Late) == 0
                ? CallResult.Success
                : Sys.SetLateFlags(pair.Destination, InodeFlags.None);
            if (result.Failed)
            {
                return Failure.Destination(SystemCall.FsSetXattr, result);
            }

            // The only one that FS_IOC_FSSETXATTR does not support.
            if ((flags & ~pair.SourceFlags & InodeFlags.DirectorySync) != 0)
            {
                pair.HasXattrs = true; // The kernel stores the compression in an xattr.
                result = Sys.SetFlags(pair.Destination, flags & InodeFlags.Inherited);
            }

            if (result.Failed)
            {
                return Failure.Destination(SystemCall.SetFlags, result);
            }

            result = Sys.Stat(pair.Destination, out pair.DestinationStatus);
            if (result.Failed)
            {
                return Failure.Destination(SystemCall.Statx, result);
            }
        }

        return directories.Finish(worker.Cloning, pair);
    }
}
