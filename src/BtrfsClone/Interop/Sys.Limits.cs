using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>
    /// getrlimit(2) of RLIMIT_NOFILE: the maximum number of open descriptors of the process. If the call fails, 1024, the kernel's
    /// initial value (INR_OPEN_CUR in fs.h).
    /// </summary>
    public static long DescriptorLimit => (long)Math.Min(Limit(7, 1024), int.MaxValue);

    /// <summary>The number of open descriptors of the process.</summary>
    public static int DescriptorsInUse
    {
        get
        {
            try
            {
                return Directory.EnumerateFileSystemEntries("/proc/self/fd").Count();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return 64; // About what a program of this runtime has open.
            }
        }
    }

    /// <summary>
    /// getrlimit(2) of RLIMIT_FSIZE: the maximum size, in bytes, of a file that the process writes to. Beyond it the kernel sends
    /// SIGXFSZ, which terminates a process that does not handle it.
    /// </summary>
    public static ulong FileSizeLimit => Limit(1, ulong.MaxValue);

    private static ulong Limit(int resource, ulong unknown)
    {
        ulong* limit = stackalloc ulong[2];
        return getrlimit(resource, limit) == 0 ? limit[0] : unknown;
    }

    [LibraryImport(LibC)]
    private static partial int getrlimit(int resource, ulong* limit);
}
