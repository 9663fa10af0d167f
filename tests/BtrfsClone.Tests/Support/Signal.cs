using System.Diagnostics;
using System.Runtime.InteropServices;

namespace BtrfsClone.Tests.Support;

/// <summary>Signals by number, sent with kill(2): not every machine has a program for it.</summary>
internal static partial class Signal
{
    public const int HangUp = 1;
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    /// <summary>True where the process was still there to get it.</summary>
    public static bool Send(Process process, int signal) => kill(process.Id, signal) == 0;

    [LibraryImport("libc")]
    private static partial int kill(int process, int signal);
}
