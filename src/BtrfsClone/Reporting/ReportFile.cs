using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Reporting;

/// <summary>A file that appears under its name when it is complete, or not at all.</summary>
internal sealed class ReportFile : IDisposable
{
    // The usual mode of a new file, before the umask.
    private const uint UsualMode = 0x1B6;
    private const uint Permissions = 0xFFF;

    private readonly string _path;
    private readonly bool _replaces;
    private readonly byte[] _name;
    private readonly OwnedDescriptor _directory;

    /// <summary>Opens the directory for the file.</summary>
    /// <param name="path">Its absolute path.</param>
    /// <param name="replaces">Whether an existing file is replaced.</param>
    /// <exception cref="BtrfsException">The directory does not exist, or an existing file is not to be replaced.</exception>
    public ReportFile(string path, bool replaces)
    {
        (_path, _replaces) = (path, replaces);
        int slash = path.LastIndexOf('/');
        if (slash == path.Length - 1)
        {
            throw new BtrfsException(BtrfsError.DestinationExists, path, "it is a directory, and a file is to be written");
        }

        _name = Utf8Z.From(path[(slash + 1)..]);
        CallResult result = Sys.Open(slash == 0 ? "/" : path[..slash], OpenFlags.ReadOnly | OpenFlags.Directory, out Descriptor opened);
        if (result.Failed)
        {
            throw Failure(SystemCall.OpenAt, result);
        }

        _directory = new OwnedDescriptor(opened);
        try
        {
            Look();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Writes the file. On failure nothing of it remains, and an existing file is unchanged.</summary>
    /// <param name="write">Writes its content.</param>
    /// <exception cref="BtrfsException">It cannot be written.</exception>
    public void Write(Action<Stream> write)
    {
        CallResult result = UnnamedFile.Make(_directory.Descriptor, UsualMode, out UnnamedFile file);
        using (file)
        {
            Check(SystemCall.OpenAt, result);
            if (Look() is uint mode)
            {
                Check(SystemCall.Fchmod, Sys.Chmod(file.Descriptor, mode));
            }

            using (Output output = new(this, file.Descriptor))
            using (BufferedStream buffered = new(output, 1 << 16))
            {
                write(buffered);
            }

            result = file.Publish(_name, _replaces, out SystemCall call);
            Check(call, result);
        }
    }

    public void Dispose() => _directory.Dispose();

    /// <summary>The permissions of an existing file that is replaced; null if there is none.</summary>
    private uint? Look()
    {
        CallResult result = Sys.Stat(_path, follow: false, out Statx status);
        if (result.Is(Errno.ENOENT))
        {
            return null;
        }

        Check(SystemCall.Statx, result);
        return status.FileType != Sys.ModeRegular
            ? throw new BtrfsException(BtrfsError.DestinationExists, _path, "something is there that is no regular file")
            : _replaces ? status.Mode & Permissions
            : throw new BtrfsException(
                new ErrorMeaning(BtrfsError.DestinationExists, "the file exists and is left as it is", "Use {Force} to replace it."),
                _path);
    }

    private void Check(SystemCall call, CallResult result)
    {
        if (result.Failed)
        {
            throw Failure(call, result);
        }
    }

    private BtrfsException Failure(SystemCall call, CallResult result) =>
        new(ErrorTable.Of(call, result.Error, atSource: false, isNamed: true), _path, call, result.Error);

    /// <summary>Writes to the descriptor sequentially.</summary>
    private sealed class Output(ReportFile file, Descriptor descriptor) : Stream
    {
        private long _end;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            file.Check(SystemCall.Pwrite, Sys.WriteAt(descriptor, buffer, _end));
            _end += buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
