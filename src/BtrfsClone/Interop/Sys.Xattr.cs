using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>XATTR_LIST_MAX and XATTR_SIZE_MAX (linux/limits.h): the maximum size of a list and of a value, in bytes.</summary>
    public const int XattrMax = 65536;

    /// <summary>
    /// The initial buffer size, in bytes. The kernel allocates as much as requested, and nearly every inode has no or few names.
    /// </summary>
    private const int XattrUsual = 256;

    /// <summary>
    /// flistxattr(2): the names, each null-terminated, into a buffer of <see cref="XattrMax"/> bytes. Returns their total length in
    /// bytes.
    /// </summary>
    public static CallResult ListXattr(Descriptor descriptor, byte* list)
    {
        CallResult length = Result(flistxattr(descriptor.Number, list, XattrUsual));
        return length.Is(Errno.ERANGE) ? Result(flistxattr(descriptor.Number, list, XattrMax)) : length;
    }

    /// <summary>fgetxattr(2), by default of a value of any size. Returns the value's length in bytes.</summary>
    public static CallResult GetXattr(Descriptor descriptor, byte* name, byte* value, int size = XattrMax)
    {
        CallResult length = Result(fgetxattr(descriptor.Number, name, value, Math.Min(size, XattrUsual)));
        return length.Is(Errno.ERANGE) ? Result(fgetxattr(descriptor.Number, name, value, size)) : length;
    }

    /// <summary>fsetxattr(2).</summary>
    public static CallResult SetXattr(Descriptor descriptor, byte* name, byte* value, int size) =>
        Result(fsetxattr(descriptor.Number, name, value, size, 0));

    /// <summary>fremovexattr(2).</summary>
    public static CallResult RemoveXattr(Descriptor descriptor, byte* name) => Result(fremovexattr(descriptor.Number, name));

    /// <summary>llistxattr(2), for entries that cannot be opened.</summary>
    public static CallResult ListXattrOfPath(byte* path, byte* list)
    {
        CallResult length = Result(llistxattr(path, list, XattrUsual));
        return length.Is(Errno.ERANGE) ? Result(llistxattr(path, list, XattrMax)) : length;
    }

    /// <summary>lgetxattr(2), for entries that cannot be opened.</summary>
    public static CallResult GetXattrOfPath(byte* path, byte* name, byte* value)
    {
        CallResult length = Result(lgetxattr(path, name, value, XattrUsual));
        return length.Is(Errno.ERANGE) ? Result(lgetxattr(path, name, value, XattrMax)) : length;
    }

    /// <summary>lsetxattr(2), for entries that cannot be opened.</summary>
    public static CallResult SetXattrOfPath(byte* path, byte* name, byte* value, int size) =>
        Result(lsetxattr(path, name, value, size, 0));

    /// <summary>lremovexattr(2), for entries that cannot be opened.</summary>
    public static CallResult RemoveXattrOfPath(byte* path, byte* name) => Result(lremovexattr(path, name));

    /// <summary>listxattr(2), which follows links: for the file of an O_PATH descriptor, through /proc/self/fd.</summary>
    public static CallResult ListXattrOfHeld(byte* path, byte* list) => Result(listxattr(path, list, XattrMax));

    /// <summary>setxattr(2), as above.</summary>
    public static CallResult SetXattrOfHeld(byte* path, byte* name, byte* value, int size) =>
        Result(setxattr(path, name, value, size, 0));

    /// <summary>removexattr(2), as above.</summary>
    public static CallResult RemoveXattrOfHeld(byte* path, byte* name) => Result(removexattr(path, name));

    [LibraryImport(LibC, SetLastError = true)]
    private static partial nint flistxattr(int descriptor, byte* list, nint size);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial nint fgetxattr(int descriptor, byte* name, byte* value, nint size);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int fsetxattr(int descriptor, byte* name, byte* value, nint size, int flags);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int fremovexattr(int descriptor, byte* name);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial nint llistxattr(byte* path, byte* list, nint size);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial nint lgetxattr(byte* path, byte* name, byte* value, nint size);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int lsetxattr(byte* path, byte* name, byte* value, nint size, int flags);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int lremovexattr(byte* path, byte* name);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial nint listxattr(byte* path, byte* list, nint size);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int setxattr(byte* path, byte* name, byte* value, nint size, int flags);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int removexattr(byte* path, byte* name);
}
