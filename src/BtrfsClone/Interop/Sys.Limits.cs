using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>
    /// getrlimit(2) of RLIMIT_NOFILE: how many descriptors the process may have open at once. 1024, what the kernel starts
    /// with (INR_OPEN_CUR in fs.h), where the call fails.
    /// </summary>
    public static long DescriptorLimit => (long)Math.Min(Limit(7, 1024), int.MaxValue);

    /// <summary>How many descriptors the process has open.</summary>
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
                return 64; // What a program of this runtime has open, about.
            }
        }
    }

    /// <summary>
    /// getrlimit(2) of RLIMIT_FSIZE: how large, in bytes, a file may get that the process writes to. Beyond it the
    /// kernel sends SIGXFSZ, which ends a process that does not expect it.
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
