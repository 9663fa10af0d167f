using System.Buffers;
using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>Copies bytes of one file to another place, inside the kernel where that can.</summary>
internal static class KernelCopy
{
    /// <summary>
    /// Bytes of one step at most: few enough to tell progress and to stop within a second on a slow disk, enough not to cost
    /// calls.
    /// </summary>
    public const long Step = 2 << 20;

    private const int BufferSize = 64 << 10;

    /// <summary>Copies some bytes, and tells how many: none at the source's end.</summary>
    /// <param name="source">Where they are read.</param>
    /// <param name="from">Where they begin there.</param>
    /// <param name="destination">Where they are written. Its file offset is changed.</param>
    /// <param name="to">Where they begin there.</param>
    /// <param name="length">How many at most.</param>
    /// <param name="copied">How many it were.</param>
    public static Failure Copy(Descriptor source, long from, Descriptor destination, long to, long length, out long copied)
    {
        // Between filesystems the kernel takes three calls, and a few pages are copied twice in less time than one of them.
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
    /// Reads and writes what the kernel did not copy: it takes a file for empty that says so, and does not tell which of
    /// the two files a call has failed at.
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
