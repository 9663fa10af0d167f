using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>
/// The C library's calls, one kernel interface per file. Every wrapper returns what the call counts or the errno: a
/// failure is a value here, and an exception only where a caller makes one. A call that a signal interrupted is made
/// again.
/// </summary>
internal static partial class Sys
{
    private const string LibC = "libc";

    /// <summary>The result of a call of the C library, which returns -1 where it failed.</summary>
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
