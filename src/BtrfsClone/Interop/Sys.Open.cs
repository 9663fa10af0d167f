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

    /// <summary>O_TMPFILE: an unnamed file in the directory that is opened; deleted when it is closed.</summary>
    public static readonly int Temporary = 0x400000 | Directory;

    private static bool IsArm64 => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
}

internal static unsafe partial class Sys
{
    /// <summary>AT_EMPTY_PATH: operate on the descriptor itself.</summary>
    public const int EmptyPath = 0x1000;

    /// <summary>AT_SYMLINK_NOFOLLOW: operate on a symbolic link itself.</summary>
    public const int SymlinkNoFollow = 0x100;

    /// <summary>openat(2), close-on-exec.</summary>
    /// <param name="directory">The directory of a relative name.</param>
    /// <param name="name">The name, null-terminated.</param>
    /// <param name="flags">A combination of <see cref="OpenFlags"/>.</param>
    /// <param name="opened">The opened file; none on failure.</param>
    /// <param name="mode">The permissions of a file that is created, minus the process's umask.</param>
    public static CallResult OpenAt(Descriptor directory, byte* name, int flags, out Descriptor opened, uint mode = 0)
    {
        CallResult result;
        do
        {
            result = Result(openat(directory.Number, name, flags | OpenFlags.CloseOnExec, mode));
        }
        while (result.Is(Errno.EINTR));
        return Opened(result, out opened);
    }

    /// <summary>The descriptor that a call returned, if it succeeded.</summary>
    private static CallResult Opened(CallResult result, out Descriptor opened)
    {
        if (result.Failed)
        {
            opened = Descriptor.None;
            return result;
        }

        opened = Descriptor.FromKernel((int)result.Value);
        if (DescriptorTracking.IsOn)
        {
            DescriptorTracking.Opened(opened);
        }

        return CallResult.Success;
    }

    /// <summary>openat(2) for a path as text; a relative one is relative to the working directory.</summary>
    public static CallResult Open(string path, int flags, out Descriptor opened, uint mode = 0)
    {
        fixed (byte* bytes = Utf8Z.From(path))
        {
            return OpenAt(Descriptor.WorkingDirectory, bytes, flags, out opened, mode);
        }
    }

    /// <summary>
    /// As above, without updating the access time (O_NOATIME); if the caller is neither the owner nor root, this is not permitted,
    /// and the access time is updated.
    /// </summary>
    public static CallResult OpenQuietlyAt(
        Descriptor directory, byte* name, int flags, out Descriptor opened, out bool isQuiet)
    {
        CallResult result = OpenAt(directory, name, flags | OpenFlags.NoAccessTime, out opened);
        isQuiet = result.Succeeded;
        return result.Is(Errno.EPERM) ? OpenAt(directory, name, flags, out opened) : result;
    }

    /// <summary>
    /// close(2); does nothing if the descriptor is none. Never retried after a signal: Linux has already released the descriptor by
    /// then.
    /// </summary>
    public static void Close(Descriptor descriptor)
    {
        if (descriptor.IsOpen)
        {
            if (DescriptorTracking.IsOn)
            {
                DescriptorTracking.Closing(descriptor);
            }

            _ = close(descriptor.Number);
        }
    }

    /// <summary>Closes a descriptor that is not the expected file. Returns the result to return instead.</summary>
    public static CallResult Reject(ref Descriptor opened, CallResult reason)
    {
        Close(opened);
        opened = Descriptor.None;
        return reason;
    }

    /// <summary>
    /// Closes many descriptors, adjacent ones with one call: close_range(2), Linux 5.9. They are sorted, and must not contain none.
    /// </summary>
    public static void CloseAll(Span<Descriptor> descriptors)
    {
        descriptors.Sort(static (one, other) => one.Number.CompareTo(other.Number));
        int first = 0;
        for (int i = 1; i <= descriptors.Length; i++)
        {
            if (i == descriptors.Length || descriptors[i].Number != descriptors[i - 1].Number + 1)
            {
                CloseRange(descriptors[first].Number, descriptors[i - 1].Number);
                first = i;
            }
        }
    }

    /// <summary>close_range(2): closes all descriptors from the first to the last, inclusive.</summary>
    private static void CloseRange(int first, int last)
    {
        for (int number = first; DescriptorTracking.IsOn && number <= last; number++)
        {
            DescriptorTracking.Closing(Descriptor.FromKernel(number));
        }

        // By system call number, since glibc only has the function from 2.34 on. It is the same on x86-64 and arm64.
        if (first == last || syscall(CloseRangeNumber, first, last, 0) < 0)
        {
            for (int number = first; number <= last; number++)
            {
                _ = close(number);
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
