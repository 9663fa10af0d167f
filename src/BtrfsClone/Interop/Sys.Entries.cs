using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>Creating, renaming and removing directory entries, always relative to a directory descriptor.</summary>
internal static unsafe partial class Sys
{
    /// <summary>PATH_MAX: the maximum length of a symbolic link's target, in bytes.</summary>
    public const int PathMax = 4096;

    // AT_SYMLINK_FOLLOW (linux/fcntl.h).
    private const int SymlinkFollow = 0x400;

    /// <summary>mkdirat(2).</summary>
    public static CallResult MakeDirectory(Descriptor directory, byte* name, uint mode) =>
        Result(mkdirat(directory.Number, name, mode));

    /// <summary>mknodat(2), for FIFOs, sockets and devices.</summary>
    public static CallResult MakeNode(Descriptor directory, byte* name, uint mode, uint major, uint minor) =>
        Result(mknodat(directory.Number, name, mode, DeviceNumber(major, minor)));

    /// <summary>The kernel's 64-bit encoding of a device number (glibc's makedev), the same on all architectures.</summary>
    public static ulong DeviceNumber(uint major, uint minor) => (minor & 0xFFul) | ((major & 0xFFFul) << 8) |
        ((ulong)(minor & ~0xFFu) << 12) | ((ulong)(major & ~0xFFFu) << 32);

    /// <summary>symlinkat(2).</summary>
    public static CallResult MakeSymlink(byte* target, Descriptor directory, byte* name) =>
        Result(symlinkat(target, directory.Number, name));

    /// <summary>readlinkat(2). Returns the length of the target in bytes; no terminating null is added.</summary>
    public static CallResult ReadLink(Descriptor directory, byte* name, byte* target, int size) =>
        Result(readlinkat(directory.Number, name, target, size));

    /// <summary>linkat(2), without following a symbolic link.</summary>
    public static CallResult Link(Descriptor oldDirectory, byte* oldName, Descriptor newDirectory, byte* newName) =>
        Result(linkat(oldDirectory.Number, oldName, newDirectory.Number, newName, 0));

    /// <summary>
    /// linkat(2) of an open file without a name: by its descriptor, which before Linux 6.10 requires CAP_DAC_READ_SEARCH, or by its
    /// entry in /proc. ENOENT if neither is possible.
    /// </summary>
    public static CallResult LinkFile(Descriptor file, Descriptor directory, byte* name)
    {
        fixed (byte* empty = s_empty, path = Utf8Z.From(file.Path))
        {
            CallResult result = Result(linkat(file.Number, empty, directory.Number, name, EmptyPath));
            return result.Is(Errno.ENOENT)
                ? Result(linkat(Descriptor.WorkingDirectory.Number, path, directory.Number, name, SymlinkFollow))
                : result;
        }
    }

    /// <summary>unlinkat(2) of an entry that is not a directory.</summary>
    public static CallResult Unlink(Descriptor directory, byte* name) => Result(unlinkat(directory.Number, name, 0));

    /// <summary>unlinkat(2) of an empty directory.</summary>
    public static CallResult RemoveDirectory(Descriptor directory, byte* name) =>
        Result(unlinkat(directory.Number, name, 0x200));

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
