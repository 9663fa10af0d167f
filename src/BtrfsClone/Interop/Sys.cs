using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>
/// The C library's calls, one kernel interface per file. Every wrapper returns what the call returned, or the errno
/// as a negative number, as the kernel itself does: a failure is a value here, and an exception only where a caller
/// makes one. A call that a signal interrupted is made again.
/// </summary>
internal static partial class Sys
{
    private const string LibC = "libc";

    /// <summary>The result of a call as the kernel gave it: not negative, or a negative errno.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Result(int result) => result >= 0 ? result : -Marshal.GetLastPInvokeError();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Result(long result) => result >= 0 ? result : -Marshal.GetLastPInvokeError();
}
