using System.Runtime.InteropServices;
using System.Text;

namespace BtrfsClone.Cli;

/// <summary>
/// Standard output or standard error. Output that cannot be written is lost without an exception: a clone continues whether or not
/// someone reads its output, and <see cref="Error"/> has the reason. Another file that has got the same descriptor number is not
/// written to.
/// </summary>
internal sealed unsafe partial class StandardStream : Stream
{
    private const string LibC = "libc";
    private const int GetDescriptorFlags = 1; // F_GETFD
    private const int CloseOnExec = 1; // FD_CLOEXEC
    private const int PathOnly = 0x200000 | 0x80000; // O_PATH | O_CLOEXEC, the same on x86-64 and arm64.
    private const short Writable = 4; // POLLOUT
    private const int Interrupted = 4; // EINTR
    private const int BadDescriptor = 9; // EBADF
    private const int TryAgain = 11; // EAGAIN
    private const int BrokenPipe = 32; // EPIPE

    private readonly int _descriptor;
    private readonly bool _wasClosed;

    private StandardStream(int descriptor)
    {
        _descriptor = descriptor;

        // A descriptor that a process is started with is never close-on-exec: it was closed, and the runtime has opened something
        // else since.
        int flags = fcntl(descriptor, GetDescriptorFlags);
        _wasClosed = flags < 0 ? IsBad() : (flags & CloseOnExec) != 0;
    }

    public static StandardStream Output { get; } = new(1);

    public static StandardStream ErrorOutput { get; } = new(2);

    /// <summary>The errno of the first write(2) that failed, or 0.</summary>
    public int Error { get; private set; }

    /// <summary>Whether output was lost; a reader that has stopped reading has lost nothing.</summary>
    public bool HasFailed => Error is not (0 or BrokenPipe);

    /// <summary>Whether output can still be written.</summary>
    public bool IsOpen => Error == 0;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>
    /// Makes the console write to these streams, and opens those of the three standard descriptors that are closed as something
    /// that can neither be read nor written: no file of a clone may become descriptor 2.
    /// </summary>
    public static void TakeOver()
    {
        Console.SetOut(Writer(Output));
        Console.SetError(Writer(ErrorOutput));
        fixed (byte* root = "/\0"u8)
        {
            for (int descriptor = 0; descriptor <= 2; descriptor++)
            {
                if (fcntl(descriptor, GetDescriptorFlags) < 0 && IsBad())
                {
                    _ = open(root, PathOnly);
                }
            }
        }

        static StreamWriter Writer(StandardStream stream) => new(stream, new UTF8Encoding(false), 8192) { AutoFlush = true };
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_wasClosed && !buffer.IsEmpty)
        {
            Error = BadDescriptor;
        }

        fixed (byte* start = buffer)
        {
            for (int done = 0; done < buffer.Length && IsOpen;)
            {
                nint written = write(_descriptor, start + done, (nuint)(buffer.Length - done));
                if (written >= 0)
                {
                    done += (int)written;
                    continue;
                }

                switch (Marshal.GetLastPInvokeError())
                {
                    case Interrupted:
                        break;
                    case TryAgain:
                        PollDescriptor wait = new() { Descriptor = _descriptor, Events = Writable };
                        _ = poll(&wait, 1, -1);
                        break;
                    case int error:
                        Error = error;
                        break;
                }
            }
        }
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private static bool IsBad() => Marshal.GetLastPInvokeError() == BadDescriptor;

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int fcntl(int descriptor, int command);

    [LibraryImport(LibC)]
    private static partial int open(byte* path, int flags);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial nint write(int descriptor, byte* buffer, nuint count);

    [LibraryImport(LibC)]
    private static partial int poll(PollDescriptor* descriptors, nuint count, int milliseconds);

    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
