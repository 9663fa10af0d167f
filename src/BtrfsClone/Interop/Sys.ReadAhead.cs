using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static partial class Sys
{
    // POSIX_FADV_WILLNEED (linux/fadvise.h; the same on x86-64 and arm64).
    private const int AdviceWillNeed = 3;

    /// <summary>
    /// posix_fadvise(2): starts reading a range of a file, without waiting for it. FIDEDUPERANGE would read it page by page, and
    /// wait for each (vfs_dedupe_file_range_compare, fs/remap_range.c). If it fails, only speed is lost.
    /// </summary>
    public static void ReadAhead(Descriptor file, long offset, long length) =>
        _ = posix_fadvise(file.Number, offset, length, AdviceWillNeed);

    [LibraryImport(LibC)]
    private static partial int posix_fadvise(int fd, long offset, long len, int advice);
}
