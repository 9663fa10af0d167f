using System.Buffers;
using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>Copies bytes of one file to another offset or file, in the kernel if possible.</summary>
internal static class KernelCopy
{
    /// <summary>
    /// The maximum size of one step: small enough to show progress and to stop within a second on a slow disk, large enough to make
    /// the number of calls insignificant.
    /// </summary>
    public const long Step = 2 << 20;

    private const int BufferSize = 64 << 10;

    /// <summary>Copies some bytes, and returns how many: none at the end of the source.</summary>
    /// <param name="source">The source.</param>
    /// <param name="from">The offset in the source.</param>
    /// <param name="destination">The destination. Its file offset is changed.</param>
    /// <param name="to">The offset in the destination.</param>
    /// <param name="length">The maximum length.</param>
    /// <param name="copied">The number of bytes copied.</param>
    public static Failure Copy(Descriptor source, long from, Descriptor destination, long to, long length, out long copied)
    {
        // Between filesystems the kernel takes three calls, and copying a few pages twice takes less time than one of them.
        CallResult result = length > BufferSize
            ? InKernel(source, from, destination, to, Math.Min(Step, length))
            : CallResult.Success;
        Failure failure = result.Value == 0
            ? ByHand(source, from, destination, to, Math.Min(BufferSize, length), out result)
            : default;
        copied = result.Value;
        return failure;
    }

    private static CallResult InKernel(Descriptor source, long from, Descriptor destination, long to, long length)
    {
        CallResult copied = Sys.CopyRange(source, from, destination, to, length);
        if (copied.Error is Errno.EXDEV or Errno.EOPNOTSUPP or Errno.EINVAL or Errno.ENOSYS)
        {
            CallResult at = Sys.Seek(destination, to);
            copied = at.Failed ? at : Sys.SendFile(source, destination, from, length);
        }

        return copied;
    }

    /// <summary>
    /// Reads and writes what the kernel did not copy: it treats a file with size 0 as empty, and does not report on which of the
    /// two files a call has failed.
    /// </summary>
    private static Failure ByHand(
        Descriptor source, long from, Descriptor destination, long to, long length, out CallResult copied)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        Span<byte> bytes = buffer.AsSpan(0, (int)length);
        copied = Sys.ReadAt(source, bytes, from);
        Failure failure = copied.Failed ? Failure.Source(SystemCall.Pread, copied) : default;
        if (copied.Value > 0)
        {
            copied = Sys.WriteAt(destination, bytes[..(int)copied.Value], to);
            failure = copied.Failed ? Failure.Destination(SystemCall.Pwrite, copied) : default;
        }

        ArrayPool<byte>.Shared.Return(buffer);
        return failure;
    }
}
