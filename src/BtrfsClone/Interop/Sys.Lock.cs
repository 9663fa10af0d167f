using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static partial class Sys
{
    // sys/file.h: LOCK_EX | LOCK_NB.
    private const int LockExclusiveNow = 2 | 4;

    /// <summary>
    /// flock(2), exclusive, without waiting: EAGAIN if another open file description holds it. The kernel releases the lock when
    /// the last descriptor of it is closed, however the process ends.
    /// </summary>
    public static CallResult TryLock(Descriptor descriptor)
    {
        CallResult result;
        do
        {
            result = Result(flock(descriptor.Number, LockExclusiveNow));
        }
        while (result.Is(Errno.EINTR));
        return result;
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int flock(int descriptor, int operation);
}
