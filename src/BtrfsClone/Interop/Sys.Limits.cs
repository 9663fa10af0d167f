using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>getrlimit(2) of RLIMIT_NOFILE: how many descriptors the process may have open at once.</summary>
    public static long DescriptorLimit
    {
        get
        {
            ulong* limit = stackalloc ulong[2];
            return getrlimit(7, limit) == 0 ? (long)Math.Min(limit[0], int.MaxValue) : 64;
        }
    }

    [LibraryImport(LibC)]
    private static partial int getrlimit(int resource, ulong* limit);
}
