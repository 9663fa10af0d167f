using System.Runtime.InteropServices;

namespace BtrfsClone.Cli;

/// <summary>Standard output for data that is useless if incomplete: a failure to write is thrown.</summary>
internal sealed class StreamOutput : Stream
{
    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <exception cref="IOException">It cannot be written.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        StandardStream.Output.Write(buffer);
        if (!StandardStream.Output.IsOpen)
        {
            string cause = Marshal.GetPInvokeErrorMessage(StandardStream.Output.Error);
            throw new IOException($"standard output: the stream is incomplete: write: {cause}");
        }
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
