using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>Flags of openat(2), from fcntl.h. Three of them differ between x86-64 and arm64.</summary>
internal static class OpenFlags
{
    public const int ReadOnly = 0;
    public const int WriteOnly = 0x1;
    public const int ReadWrite = 0x2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int NoControllingTerminal = 0x100;
    public const int NonBlock = 0x800;
    public const int NoAccessTime = 0x40000;
    public const int CloseOnExec = 0x80000;
    public const int PathOnly = 0x200000;

    public static readonly int Directory = IsArm64 ? 0x4000 : 0x10000;
    public static readonly int NoFollow = IsArm64 ? 0x8000 : 0x20000;
    public static readonly int Direct = IsArm64 ? 0x10000 : 0x4000;

    /// <summary>O_TMPFILE: an unnamed file in the directory that is opened; gone when it is closed.</summary>
    public static readonly int Temporary = 0x400000 | Directory;

    private static bool IsArm64 => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
}

internal static unsafe partial class Sys
{
    /// <summary>The directory descriptor that stands for the process's working directory.</summary>
    public const int WorkingDirectory = -100;

    /// <summary>AT_EMPTY_PATH: the descriptor itself is meant.</summary>
    public const int EmptyPath = 0x1000;

    /// <summary>AT_SYMLINK_NOFOLLOW: a symbolic link itself is meant.</summary>
    public const int SymlinkNoFollow = 0x100;

    /// <summary>openat(2), close-on-exec. Returns a descriptor or a negative errno.</summary>
    public static int OpenAt(int directory, byte* name, int flags, uint mode = 0)
    {
        int result;
        do
        {
            result = Result(openat(directory, name, flags | OpenFlags.CloseOnExec, mode));
        }
        while (result == -Errno.EINTR);
        return result;
    }

    /// <summary>openat(2) for a path of text, relative to the working directory if it is relative.</summary>
    public static int Open(string path, int flags, uint mode = 0)
    {
        fixed (byte* bytes = Utf8Z.From(path))
        {
            return OpenAt(WorkingDirectory, bytes, flags, mode);
        }
    }

    /// <summary>close(2). Never made again after a signal: Linux has released the descriptor by then.</summary>
    public static void Close(int descriptor) => _ = close(descriptor);

    /// <summary>close_range(2), Linux 5.9: closes all descriptors from the first to the last, both included.</summary>
    public static void CloseRange(int first, int last)
    {
        // By number, since glibc has the function from 2.34 on only. It is the same on x86-64 and arm64.
        if (first == last || syscall(CloseRangeNumber, first, last, 0) < 0)
        {
            for (int descriptor = first; descriptor <= last; descriptor++)
            {
                Close(descriptor);
            }
        }
    }

    private const nint CloseRangeNumber = 436;

    [LibraryImport(LibC)]
    private static partial nint syscall(nint number, nint first, nint last, nint flags);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int openat(int directory, byte* name, int flags, uint mode);

    [LibraryImport(LibC)]
    private static partial int close(int descriptor);
}
