using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>
    /// syncfs(2): writes all dirty data of a filesystem to disk, and waits for it. On btrfs it ends the running transaction.
    /// </summary>
    public static CallResult SyncFileSystem(Descriptor descriptor)
    {
        CallResult result;
        do
        {
            result = Result(syncfs(descriptor.Number));
        }
        while (result.Is(Errno.EINTR));
        return result;
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int syncfs(int descriptor);
}
