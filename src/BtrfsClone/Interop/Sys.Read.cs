using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>pread(2) until the buffer is full or the file ends. Returns the bytes read.</summary>
    public static int ReadAt(int descriptor, Span<byte> buffer, long offset)
    {
        int done = 0;
        fixed (byte* start = buffer)
        {
            while (done < buffer.Length)
            {
                int read = (int)Result((long)pread(descriptor, start + done, (nuint)(buffer.Length - done), offset + done));
                if (read == -Errno.EINTR)
                {
                    continue;
                }

                if (read <= 0)
                {
                    return read < 0 ? read : done;
                }

                done += read;
            }
        }

        return done;
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial nint pread(int descriptor, byte* buffer, nuint size, long offset);
}
