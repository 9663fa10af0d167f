using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>struct cachestat (linux/mman.h): pages of the page cache, by state.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CacheStatus
{
    public ulong Cached;
    public ulong Dirty;
    public ulong Writeback;
    public ulong Evicted;
    public ulong RecentlyEvicted;
}

internal static unsafe partial class Sys
{
    // The same number on every architecture (include/uapi/asm-generic/unistd.h); glibc has no wrapper.
    private const nint CacheStatNumber = 451;

    /// <summary>
    /// cachestat(2), Linux 6.5 and newer (ENOSYS before). Newer kernels return EPERM for a file that the caller neither owns nor
    /// may write. The kernel walks all cached pages of the range: about 25 ms per GiB.
    /// </summary>
    /// <param name="descriptor">The file.</param>
    /// <param name="offset">The start of the range, in bytes.</param>
    /// <param name="length">Its length; 0 means to the end.</param>
    /// <param name="status">The pages of the range.</param>
    public static CallResult CacheStat(Descriptor descriptor, long offset, long length, out CacheStatus status)
    {
        // struct cachestat_range.
        ulong* range = stackalloc ulong[2];
        (range[0], range[1]) = ((ulong)offset, (ulong)length);
        fixed (CacheStatus* buffer = &status)
        {
            return Result(syscall(CacheStatNumber, descriptor.Number, range, buffer, 0));
        }
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial nint syscall(nint number, nint descriptor, ulong* range, CacheStatus* status, nint flags);
}
