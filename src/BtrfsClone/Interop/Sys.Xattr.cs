using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>XATTR_LIST_MAX and XATTR_SIZE_MAX (linux/limits.h): no list and no value is larger, in bytes.</summary>
    public const int XattrMax = 65536;

    /// <summary>
    /// What is asked for at first, in bytes. The kernel allocates as much as it is asked for, and nearly every inode has
    /// no names, or few.
    /// </summary>
    private const int XattrUsual = 256;

    /// <summary>
    /// flistxattr(2): the names, each with its zero byte, into <see cref="XattrMax"/> bytes. Returns their length in bytes.
    /// </summary>
    public static int ListXattr(int descriptor, byte* list)
    {
        int length = (int)Result(flistxattr(descriptor, list, XattrUsual));
        return length == -Errno.ERANGE ? (int)Result(flistxattr(descriptor, list, XattrMax)) : length;
    }

    /// <summary>fgetxattr(2), of a value of any size or of none larger. Returns the value's length in bytes.</summary>
    public static int GetXattr(int descriptor, byte* name, byte* value, int size = XattrMax)
    {
        int length = (int)Result(fgetxattr(descriptor, name, value, Math.Min(size, XattrUsual)));
        return length == -Errno.ERANGE ? (int)Result(fgetxattr(descriptor, name, value, size)) : length;
    }

    /// <summary>fsetxattr(2).</summary>
    public static int SetXattr(int descriptor, byte* name, byte* value, int size) =>
        Result(fsetxattr(descriptor, name, value, size, 0));

    /// <summary>fremovexattr(2).</summary>
    public static int RemoveXattr(int descriptor, byte* name) => Result(fremovexattr(descriptor, name));

    /// <summary>llistxattr(2), for what cannot be opened.</summary>
    public static int ListXattrOfPath(byte* path, byte* list)
    {
        int length = (int)Result(llistxattr(path, list, XattrUsual));
        return length == -Errno.ERANGE ? (int)Result(llistxattr(path, list, XattrMax)) : length;
    }

    /// <summary>lgetxattr(2), for what cannot be opened.</summary>
    public static int GetXattrOfPath(byte* path, byte* name, byte* value)
    {
        int length = (int)Result(lgetxattr(path, name, value, XattrUsual));
        return length == -Errno.ERANGE ? (int)Result(lgetxattr(path, name, value, XattrMax)) : length;
    }

    /// <summary>lsetxattr(2), for what cannot be opened.</summary>
    public static int SetXattrOfPath(byte* path, byte* name, byte* value, int size) =>
        Result(lsetxattr(path, name, value, size, 0));

    /// <summary>lremovexattr(2), for what cannot be opened.</summary>
    public static int RemoveXattrOfPath(byte* path, byte* name) => Result(lremovexattr(path, name));

    /// <summary>listxattr(2), which follows links: for what is held by a path-only descriptor, through /proc/self/fd.</summary>
    public static int ListXattrOfHeld(byte* path, byte* list) => (int)Result(listxattr(path, list, XattrMax));

    /// <summary>setxattr(2), as above.</summary>
    public static int SetXattrOfHeld(byte* path, byte* name, byte* value, int size) =>
        Result(setxattr(path, name, value, size, 0));

    /// <summary>removexattr(2), as above.</summary>
    public static int RemoveXattrOfHeld(byte* path, byte* name) => Result(removexattr(path, name));

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
