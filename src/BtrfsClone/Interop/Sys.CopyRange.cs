using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>copy_file_range(2) at equal offsets. Returns the bytes copied, 0 at the source's end.</summary>
    public static long CopyRange(int source, int destination, long offset, long length)
    {
        long result;
        do
        {
            long from = offset;
            long to = offset;
            result = Result((long)copy_file_range(source, &from, destination, &to, (nuint)length, 0));
        }
        while (result == -Errno.EINTR);
        return result;
    }

    /// <summary>ftruncate(2): the file's size in bytes.</summary>
    public static int Truncate(int descriptor, long size) => Result(ftruncate(descriptor, size));

    /// <summary>fallocate(2) with FALLOC_FL_KEEP_SIZE: preallocates without changing the file's size.</summary>
    public static int Preallocate(int descriptor, long offset, long length)
    {
        int result;
        do
        {
            result = Result(fallocate(descriptor, 1, offset, length));
        }
        while (result == -Errno.EINTR);
        return result;
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial nint copy_file_range(
        int source, long* sourceOffset, int destination, long* destinationOffset, nuint length, uint flags);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int ftruncate(int descriptor, long size);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int fallocate(int descriptor, int mode, long offset, long length);
}
