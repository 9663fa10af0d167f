using System.Runtime.InteropServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>An unnamed temporary file: it is deleted with the process, however that ends.</summary>
internal sealed class SpillFile : IDisposable
{
    private readonly FileStream _file;
    private readonly string _folder;

    /// <exception cref="BtrfsException">The file cannot be created.</exception>
    public SpillFile(string folder)
    {
        _folder = folder;
        string path = Path.Combine(folder, $".btrfs-clone-{Guid.NewGuid():N}");
        try
        {
            // It contains names and checksums of files that not everyone may read.
            _file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Share = FileShare.Delete,
                BufferSize = 0,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failure(SystemCall.OpenAt, e);
        }
    }

    public void Write<T>(ReadOnlySpan<T> items, long offset)
        where T : unmanaged
    {
        try
        {
            RandomAccess.Write(_file.SafeFileHandle, MemoryMarshal.AsBytes(items), offset);
        }
        catch (IOException e)
        {
            throw Failure(SystemCall.Pwrite, e);
        }
    }

    /// <summary>Fills the span with data that was written before.</summary>
    public void Read<T>(Span<T> items, long offset)
        where T : unmanaged
    {
        Span<byte> bytes = MemoryMarshal.AsBytes(items);
        try
        {
            for (int done = 0; done < bytes.Length;)
            {
                int read = RandomAccess.Read(_file.SafeFileHandle, bytes[done..], offset + done);
                done += read > 0 ? read : throw new EndOfStreamException();
            }
        }
        catch (IOException e)
        {
            throw Failure(SystemCall.Pread, e);
        }
    }

    public void Dispose() => _file.Dispose();

    private BtrfsException Failure(SystemCall call, Exception e)
    {
        const int LargestErrno = 4095; // MAX_ERRNO (linux/err.h)

        // The runtime uses errno as the HResult of the exception, except for those with an exception type of their own.
        Errno errno = e switch
        {
            UnauthorizedAccessException => Errno.EACCES,
            FileNotFoundException or DirectoryNotFoundException => Errno.ENOENT,
            _ => e.HResult is > 0 and <= LargestErrno ? (Errno)e.HResult : Errno.EIO,
        };
        ErrorMeaning meaning = ErrorTable.Of(call, errno, atSource: false, isNamed: true);
        return new BtrfsException(
            meaning with { What = "the search cannot keep a temporary file here (TMPDIR)" }, _folder, call, errno);
    }
}
