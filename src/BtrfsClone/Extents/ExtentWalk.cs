using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Extents;

/// <summary>
/// Reads the extents of the regular files in a directory, one file after the other, with constant memory. Links are not followed,
/// and a file with several names is read once for each of them.
/// </summary>
public sealed class ExtentWalk : IDisposable
{
    // The deepest directories stay open, so that returning to the parent is cheap.
    private const int MaxOpen = 32;

    private readonly ExtentReader _reader;
    private readonly HeldDirectory _directory;
    private readonly FileWalk _files;
    private OwnedDescriptor? _file;

    /// <summary>Opens a directory.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="reader">The reader, which must not be disposed of before the walk.</param>
    /// <param name="recurse">Whether files in subdirectories are included.</param>
    /// <param name="oneFileSystem">Whether other filesystems that are mounted below it are skipped.</param>
    /// <param name="onPassedOver">See <see cref="SessionEvents.OnPassedOver"/>.</param>
    /// <exception cref="BtrfsException">It cannot be opened; <see cref="BtrfsError.NotRegularFile"/>: it is not a directory.</exception>
    public ExtentWalk(
        string path, ExtentReader reader, bool recurse, bool oneFileSystem, Action<string, string>? onPassedOver = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(reader);
        CallResult result = OpenDirectory.At(path, out Descriptor opened);
        if (result.Failed)
        {
            throw result.Is(Errno.ENOTDIR)
                ? new BtrfsException(BtrfsError.NotRegularFile, path)
                : BtrfsException.FromErrno(result.Error, SystemCall.OpenAt, path);
        }

        _reader = reader;
        _directory = new HeldDirectory(opened, path);
        _files = new FileWalk(opened, path, MaxOpen, oneFileSystem, onPassedOver, recurse);
    }

    /// <summary>Advances to the next file, and opens it with the reader.</summary>
    /// <param name="cancellation">Cancels between two files, and reading between two batches of file extents.</param>
    /// <param name="failure">
    /// Why a file or directory could not be opened or read: the reader then has no file, and the walk continues after it.
    /// </param>
    /// <returns>False at the end.</returns>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public bool Next(CancellationToken cancellation, out BtrfsException? failure)
    {
        cancellation.ThrowIfCancellationRequested();
        CloseFile();
        if (!_files.Next(out Descriptor file, out failure))
        {
            return false;
        }

        if (failure is null)
        {
            _file = new OwnedDescriptor(file);
            try
            {
                _reader.Open(file, _files.FilePath, cancellation);
            }
            catch (BtrfsException e)
            {
                failure = e;
            }
        }

        return true;
    }

    /// <summary>Closes all open directories.</summary>
    public void Dispose()
    {
        CloseFile();
        _files.Dispose();
        _directory.Dispose();
    }

    private void CloseFile()
    {
        _reader.Close();
        _file?.Dispose();
        _file = null;
    }
}
