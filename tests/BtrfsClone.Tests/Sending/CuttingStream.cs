namespace BtrfsClone.Tests.Sending;

/// <summary>Does something when the first bytes of a stream are written.</summary>
internal sealed class CuttingStream(Stream output, Action once) : Stream
{
    private Action? _once = once;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => output.Length;

    public override long Position { get => output.Position; set => throw new NotSupportedException(); }

    public override void Write(byte[] buffer, int offset, int count)
    {
        output.Write(buffer, offset, count);
        _once?.Invoke();
        _once = null;
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
