using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>Makes the metadata of directories equal, once nothing in them changes any more.</summary>
internal sealed class DirectoryMetadata(DirectoryCloner directories)
{
    /// <summary>Gives the directory the source's metadata, whatever it has by now.</summary>
    public Failure Apply(SyncWorker worker, SyncPair pair)
    {
        Failure failure = pair.ReadTraits(worker.Cloning);
        if (failure.Failed)
        {
            return failure;
        }

        if (pair.Merged)
        {
            // Flags that the source has are set at the end.
            CallResult result = Sys.SetLateFlags(pair.Destination, InodeFlags.None);
            if (result.Failed && !result.Is(Errno.ENOTTY) && !result.Is(Errno.EOPNOTSUPP))
            {
                return Failure.Destination(SystemCall.FsSetXattr, result);
            }

            // The one that FS_IOC_FSSETXATTR does not know.
            result = Sys.GetFlags(pair.Destination, out InodeFlags flags);
            if ((flags & ~pair.SourceFlags & InodeFlags.DirectorySync) != 0)
            {
                result = Sys.SetFlags(pair.Destination, flags & ~InodeFlags.DirectorySync);
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
