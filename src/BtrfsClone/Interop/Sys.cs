using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>
/// The calls of the C library, one kernel interface per file. Every wrapper returns the count of the call or the errno: a failure
/// is a value here, and only becomes an exception if a caller creates one. A call that is interrupted by a signal is retried.
/// </summary>
internal static partial class Sys
{
    private const string LibC = "libc";

    /// <summary>The result of a call of the C library, which returns -1 on failure.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static CallResult Result(long result, [CallerMemberName] string call = "")
    {
        var given = CallResult.FromKernel(result >= 0 ? result : -Marshal.GetLastPInvokeError());
        if (CallTrace.IsOn)
        {
            CallTrace.Add(call, given);
        }

        return given;
    }
}
