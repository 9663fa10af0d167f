using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>
    /// sendfile(2) to the destination's current offset. It works between filesystems of different types, which copy_file_range(2)
    /// has rejected since Linux 5.19. Returns the bytes copied, 0 at the end of the source.
    /// </summary>
    public static CallResult SendFile(Descriptor source, Descriptor destination, long offset, long length)
    {
        CallResult result;
        do
        {
            long from = offset;
            result = Result(sendfile(destination.Number, source.Number, &from, (nuint)length));
        }
        while (result.Is(Errno.EINTR));
        return result;
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial nint sendfile(int destination, int source, long* offset, nuint length);
}
