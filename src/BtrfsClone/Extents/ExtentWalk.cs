using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Extents;

/// <summary>
/// Lets a reader read the regular files in a directory, one after the other, with the same memory however many there are. Links
/// are not followed, and a file with several names comes with each of them.
/// </summary>
public sealed class ExtentWalk : IDisposable
{
    // The lowest directories stay open, so that going up again is cheap.
    private const int MaxOpen = 32;

    private readonly ExtentReader _reader;
    private readonly HeldDirectory _directory;
    private readonly FileWalk _files;
    private OwnedDescriptor? _file;

    /// <summary>Opens a directory.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="reader">The reader, which must not be disposed of before the walk.</param>
    /// <param name="recurse">Whether files in directories below it come, too.</param>
    /// <param name="oneFileSystem">Whether other filesystems that are mounted below it are left out.</param>
    /// <param name="onPassedOver">See <see cref="SessionEvents.OnPassedOver"/>.</param>
    /// <exception cref="BtrfsException">
    /// It cannot be opened; <see cref="BtrfsError.NotRegularFile"/>: it is no directory.
    /// </exception>
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

    /// <summary>Goes on to the next file, and has the reader begin with it.</summary>
    /// <param name="cancellation">Ends the walk between two files, and the reading between two batches of pieces.</param>
    /// <param name="failure">
    /// Why a file or directory could not be opened or read: the reader has no file then, and the walk goes on after it.
    /// </param>
    /// <returns>False at the end.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
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

    /// <summary>Closes what is open.</summary>
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
