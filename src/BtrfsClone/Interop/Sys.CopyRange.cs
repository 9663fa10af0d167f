using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>copy_file_range(2). Returns the bytes copied, 0 at the end of the source.</summary>
    public static CallResult CopyRange(
        Descriptor source, long sourceOffset, Descriptor destination, long destinationOffset, long length)
    {
        CallResult result;
        do
        {
            long from = sourceOffset;
            long to = destinationOffset;
            result = Result(copy_file_range(source.Number, &from, destination.Number, &to, (nuint)length, 0));
        }
        while (result.Is(Errno.EINTR));
        return result;
    }

    /// <summary>ftruncate(2): sets the file's size in bytes.</summary>
    public static CallResult Truncate(Descriptor descriptor, long size) => Result(ftruncate(descriptor.Number, size));

    /// <summary>fallocate(2) with FALLOC_FL_KEEP_SIZE: preallocates without changing the file's size.</summary>
    public static CallResult Preallocate(Descriptor descriptor, long offset, long length)
    {
        CallResult result;
        do
        {
            result = Result(fallocate(descriptor.Number, 1, offset, length));
        }
        while (result.Is(Errno.EINTR));
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
