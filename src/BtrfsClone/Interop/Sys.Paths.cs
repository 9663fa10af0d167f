using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>getcwd(3): the working directory's absolute path.</summary>
    public static CallResult GetWorkingDirectory(out string path)
    {
        byte* buffer = stackalloc byte[PathMax];
        return PathOrErrno(getcwd(buffer, PathMax), out path);
    }

    /// <summary>realpath(3): the absolute path without symbolic links.</summary>
    public static CallResult GetRealPath(string path, out string real)
    {
        byte* buffer = stackalloc byte[PathMax];
        fixed (byte* bytes = Utf8Z.From(path))
        {
            return PathOrErrno(realpath(bytes, buffer), out real);
        }
    }

    private static CallResult PathOrErrno(byte* result, out string path)
    {
        if (result == null)
        {
            path = "";
            return (Errno)Marshal.GetLastPInvokeError();
        }

        path = Utf8Z.ToText(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(result));
        return CallResult.Success;
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial byte* getcwd(byte* buffer, nuint size);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial byte* realpath(byte* path, byte* resolved);
}
