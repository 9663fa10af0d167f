using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>Makes the metadata of directories equal, once nothing in them changes any more.</summary>
internal sealed class DirectoryMetadata(DirectoryCloner directories)
{
    /// <summary>Gives the directory the source's metadata, whatever it has by now.</summary>
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

            // The one that FS_IOC_FSSETXATTR does not know.
            if ((flags & ~pair.SourceFlags & InodeFlags.DirectorySync) != 0)
            {
                pair.HasXattrs = true; // The kernel keeps the compression in one.
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
