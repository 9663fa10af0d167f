using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>pwrite(2) until everything is written. Returns the bytes written.</summary>
    public static CallResult WriteAt(Descriptor descriptor, ReadOnlySpan<byte> bytes, long offset)
    {
        int done = 0;
        fixed (byte* start = bytes)
        {
            while (done < bytes.Length)
            {
                CallResult written =
                    Result(pwrite(descriptor.Number, start + done, (nuint)(bytes.Length - done), offset + done));
                if (written.Failed && !written.Is(Errno.EINTR))
                {
                    return written;
                }

                done += (int)written.Value;
            }
        }

        return CallResult.Count(done);
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial nint pwrite(int descriptor, byte* buffer, nuint size, long offset);
}
