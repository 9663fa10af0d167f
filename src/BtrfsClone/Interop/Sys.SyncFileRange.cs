using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>
    /// sync_file_range(2) with SYNC_FILE_RANGE_WRITE: starts writeback of a range (length 0 means "to the end") without waiting for
    /// it. It may still block while the device's queue is full.
    /// </summary>
    public static CallResult StartWriteOut(Descriptor descriptor, long offset, long length) =>
        SyncFileRange(descriptor, offset, length, 2);

    /// <summary>sync_file_range(2) with SYNC_FILE_RANGE_WAIT_BEFORE: waits for writeback that was started, and starts none.</summary>
    public static CallResult WaitForWriteOut(Descriptor descriptor, long offset, long length) =>
        SyncFileRange(descriptor, offset, length, 1);

    private static CallResult SyncFileRange(Descriptor descriptor, long offset, long length, uint flags)
    {
        CallResult result;
        do
        {
            result = Result(sync_file_range(descriptor.Number, offset, length, flags));
        }
        while (result.Is(Errno.EINTR));
        return result;
    }

    /// <summary>
    /// FIEMAP_FLAG_SYNC without room for extents: writes dirty data to disk and waits for ordered extents, without a commit. The
    /// whole file is always flushed; with a range of one byte, the kernel does not have to count all extents.
    /// </summary>
    public static CallResult Flush(Descriptor descriptor)
    {
        FiemapRequest request = new() { Length = 1, Flags = FiemapRequestFlags.Sync };
        return Fiemap(descriptor, &request);
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int sync_file_range(int descriptor, long offset, long length, uint flags);
}
