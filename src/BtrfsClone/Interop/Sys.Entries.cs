using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>Making, naming and removing directory entries, always relative to a directory's descriptor.</summary>
internal static unsafe partial class Sys
{
    /// <summary>PATH_MAX: no symbolic link's target is longer, in bytes.</summary>
    public const int PathMax = 4096;

    /// <summary>mkdirat(2).</summary>
    public static int MakeDirectory(int directory, byte* name, uint mode) => Result(mkdirat(directory, name, mode));

    /// <summary>mknodat(2), for FIFOs, sockets and devices.</summary>
    public static int MakeNode(int directory, byte* name, uint mode, uint major, uint minor)
    {
        // The kernel's encoding of a device number in 64 bits (glibc's makedev), alike on all architectures.
        ulong device = (minor & 0xFFul) | ((major & 0xFFFul) << 8) |
            ((ulong)(minor & ~0xFFu) << 12) | ((ulong)(major & ~0xFFFu) << 32);
        return Result(mknodat(directory, name, mode, device));
    }

    /// <summary>symlinkat(2).</summary>
    public static int MakeSymlink(byte* target, int directory, byte* name) => Result(symlinkat(target, directory, name));

    /// <summary>readlinkat(2). Returns the target's length in bytes; no zero byte is added.</summary>
    public static int ReadLink(int directory, byte* name, byte* target, int size) =>
        (int)Result(readlinkat(directory, name, target, size));

    /// <summary>linkat(2), following no symbolic link.</summary>
    public static int Link(int oldDirectory, byte* oldName, int newDirectory, byte* newName) =>
        Result(linkat(oldDirectory, oldName, newDirectory, newName, 0));

    /// <summary>unlinkat(2) of anything but a directory.</summary>
    public static int Unlink(int directory, byte* name) => Result(unlinkat(directory, name, 0));

    /// <summary>unlinkat(2) of an empty directory.</summary>
    public static int RemoveDirectory(int directory, byte* name) => Result(unlinkat(directory, name, 0x200));

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int mkdirat(int directory, byte* name, uint mode);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int mknodat(int directory, byte* name, uint mode, ulong device);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int symlinkat(byte* target, int directory, byte* name);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial nint readlinkat(int directory, byte* name, byte* target, nint size);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int linkat(int oldDirectory, byte* oldName, int newDirectory, byte* newName, int flags);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int unlinkat(int directory, byte* name, int flags);
}
