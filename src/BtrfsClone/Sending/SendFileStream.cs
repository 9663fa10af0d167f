using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Sending;

/// <summary>
/// A file that receives a stream. It gets its name when it is complete, and replaces an existing file of that name; if it is
/// disposed of earlier, it is removed.
/// </summary>
public sealed class SendFileStream : Stream
{
    private readonly OwnedDescriptor _directory;
    private readonly UnnamedFile _file;
    private readonly string _path;
    private readonly byte[] _name;
    private readonly bool _noClobber;
    private long _length;

    private SendFileStream(string path, Descriptor directory, bool noClobber)
    {
        (_path, _noClobber) = (path, noClobber);
        _directory = new OwnedDescriptor(directory);
        _name = Utf8Z.From(CloneDestination.NameOf(path));

        // Accessible to its owner only: it contains files that not everyone may read.
        CallResult result = UnnamedFile.Make(directory, Sys.ModeOwnerReadWrite, out _file);
        if (result.Failed)
        {
            Dispose();
            throw Failed(SystemCall.OpenAt, result);
        }
    }

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => _length;

    /// <inheritdoc/>
    public override long Position { get => _length; set => throw new NotSupportedException(); }

    /// <summary>Creates the file.</summary>
    /// <param name="path">The absolute path that it will get; a symbolic link is followed.</param>
    /// <param name="noClobber">Whether an existing file is kept, and is an error.</param>
    /// <param name="force">Whether an existing file without write permission is replaced.</param>
    /// <returns>The file.</returns>
    /// <exception cref="BtrfsException">It cannot be created, or may not replace the existing file.</exception>
    public static SendFileStream Create(string path, bool noClobber = false, bool force = false)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Sys.Stat(path, follow: true, out Statx status).Succeeded)
        {
            if (status.FileType != Sys.ModeRegular)
            {
                throw new BtrfsException(ErrorMeaning.NoFileForStream, path);
            }

            path = PathLookup.ThroughLink(path);
            if (noClobber)
            {
                throw new BtrfsException(ErrorMeaning.KeptAsAsked, path);
            }

            if ((status.Permissions & Sys.ModeAnyWrite) == 0 && !force)
            {
                throw new BtrfsException(BtrfsError.DestinationReadOnly, path);
            }
        }

        CallResult result = OpenDirectory.At(CloneDestination.ParentOf(path), out Descriptor directory);
        return result.Succeeded
            ? new SendFileStream(path, directory, noClobber)
            : throw Failure.Destination(SystemCall.OpenAt, result).OnPath().ToException(path);
    }

    /// <summary>Gives the file its name, once everything is written.</summary>
    /// <exception cref="BtrfsException">It cannot get its name; an existing file stays.</exception>
    public void Publish()
    {
        CallResult result = _file.Publish(_name, replaces: !_noClobber, out SystemCall call);
        Check(call, result);
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        Check(SystemCall.Pwrite, Sys.WriteAt(_file.Descriptor, buffer, _length));
        _length += buffer.Length;
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_directory.IsClosed)
        {
            _file.Dispose();
            _directory.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Check(SystemCall call, CallResult result)
    {
        if (result.Failed)
        {
            throw Failed(call, result);
        }
    }

    private BtrfsException Failed(SystemCall call, CallResult result) =>
        Failure.Destination(call, result).OnPath().ToException(_path);
}
