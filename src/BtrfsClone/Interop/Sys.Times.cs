using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>
    /// futimens(3) of an open file (glibc's utimensat rejects a null path): access and modification time, with nanoseconds.
    /// </summary>
    public static CallResult SetTimes(Descriptor descriptor, in Statx from)
    {
        Timespecs times = new(from);
        return Result(futimens(descriptor.Number, &times));
    }

    /// <summary>utimensat(2) of an entry itself, or of the descriptor if the name is empty.</summary>
    public static CallResult SetTimesOfEntry(Descriptor directory, byte* name, in Statx from)
    {
        Timespecs times = new(from);
        return Result(utimensat(directory.Number, name, &times, SymlinkNoFollow | (*name == 0 ? EmptyPath : 0)));
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int utimensat(int directory, byte* name, Timespecs* times, int flags);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int futimens(int descriptor, Timespecs* times);

    /// <summary>Two of struct timespec: access time, then modification time.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Timespecs(in Statx from)
    {
        public readonly long AccessSeconds = from.AccessTime.Seconds;
        public readonly long AccessNanoseconds = from.AccessTime.Nanoseconds;
        public readonly long ModifySeconds = from.ModifyTime.Seconds;
        public readonly long ModifyNanoseconds = from.ModifyTime.Nanoseconds;
    }
}
