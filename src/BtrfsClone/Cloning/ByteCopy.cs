using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>Copies a file's bytes inside the kernel and keeps its holes: what <see cref="ReflinkMode.Auto"/> falls back to.</summary>
internal static class ByteCopy
{
    private const int Enxio = 6;

    // Bytes; small enough to count progress and to stop soon on a slow disk, large enough not to cost calls.
    private const long Step = 8 << 20;

    public static Fault Copy(
        int source, int destination, long size, CloneCounters counters, CancellationToken cancellation)
    {
        long position = 0;
        while (position < size)
        {
            long data = Sys.SeekData(source, position);
            if (data == -Enxio)
            {
                break;
            }

            long end = data < 0 ? data : Sys.SeekHole(source, data);
            if (end < 0)
            {
                return Fault.Source("lseek", (int)end);
            }

            for (position = data; position < end;)
            {
                if (cancellation.IsCancellationRequested)
                {
                    return Fault.Cancelled;
                }

                long copied = Sys.CopyRange(source, destination, position, Math.Min(Step, end - position));
                if (copied is -Errno.EXDEV or -Errno.EOPNOTSUPP or -Errno.EINVAL)
                {
                    long at = Sys.Seek(destination, position);
                    copied = at < 0 ? at : Sys.SendFile(source, destination, position, Math.Min(Step, end - position));
                }

                if (copied < 0)
                {
                    return Fault.Destination("copy_file_range", (int)copied);
                }

                if (copied == 0)
                {
                    return Truncate(destination, position);
                }

                position += copied;
                counters.AddCopied(copied);
            }
        }

        return Truncate(destination, size);
    }

    private static Fault Truncate(int destination, long size)
    {
        int result = Sys.Truncate(destination, size);
        return result < 0 ? Fault.Destination("ftruncate", result) : default;
    }
}
