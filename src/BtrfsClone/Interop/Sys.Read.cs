using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>read(2), which also works on pipes. Returns the bytes read; 0 at the end.</summary>
    public static CallResult Read(Descriptor descriptor, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            CallResult result;
            do
            {
                result = Result(read(descriptor.Number, start, (nuint)buffer.Length));
            }
            while (result.Is(Errno.EINTR));
            return result;
        }
    }

    /// <summary>pread(2) until the buffer is full or the file ends. Returns the bytes read.</summary>
    public static CallResult ReadAt(Descriptor descriptor, Span<byte> buffer, long offset)
    {
        int done = 0;
        fixed (byte* start = buffer)
        {
            while (done < buffer.Length)
            {
                CallResult read =
                    Result(pread(descriptor.Number, start + done, (nuint)(buffer.Length - done), offset + done));
                if (read.Is(Errno.EINTR))
                {
                    continue;
                }

                if (read.Failed)
                {
                    return read;
                }

                if (read.Value == 0)
                {
                    break;
                }

                done += (int)read.Value;
            }
        }

        return CallResult.Count(done);
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial nint read(int descriptor, byte* buffer, nuint size);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial nint pread(int descriptor, byte* buffer, nuint size, long offset);
}
