using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>
/// The files without names of one round. Replacements of one kind of compression lie in one file, a block apart, so that each has
/// extents of its own and all are written out together. One that ends inside a block ends a file of its own.
/// </summary>
internal sealed class ReplacementFiles : IDisposable
{
    private readonly ItemSource _items = new();
    private readonly ExtentBatch _batch = new();
    private readonly Dictionary<ExtentCompression, ReplacementFile> _shared = [];
    private readonly List<ReplacementFile> _own = [];
    private readonly ulong _sizeLimit = Sys.FileSizeLimit;
    private Descriptor _directory;
    private string _path = "";
    private long _blockSize;

    /// <summary>Begins with an item.</summary>
    /// <param name="directory">A directory of the filesystem.</param>
    /// <param name="path">What to call it in errors.</param>
    /// <param name="blockSize">The filesystem's block size.</param>
    public void Start(Descriptor directory, string path, long blockSize) =>
        (_directory, _path, _blockSize) = (directory, path, blockSize);

    /// <summary>Says where a replacement is to be written.</summary>
    /// <exception cref="BtrfsException">A file cannot be made.</exception>
    public ReplacementFile Place(Replacement replacement, out long at)
    {
        ExtentCompression compression = replacement.Compression;
        if (replacement.EndsInBlock || !_shared.TryGetValue(compression, out ReplacementFile? file))
        {
            file = ReplacementFile.Make(_directory, _path, compression);
            if (replacement.EndsInBlock)
            {
                _own.Add(file);
            }
            else
            {
                _shared.Add(compression, file);
            }
        }

        // Beyond the limit the kernel would send a signal (SIGXFSZ).
        at = file.Next;
        if ((ulong)(at + replacement.Length) > _sizeLimit)
        {
            throw new BtrfsException(BtrfsError.FileTooLarge, _path);
        }

        file.Next += replacement.Length + _blockSize;
        return file;
    }

    /// <summary>Waits until all is written out.</summary>
    /// <exception cref="BtrfsException">That failed.</exception>
    public void Complete()
    {
        foreach (ReplacementFile file in _shared.Values)
        {
            file.StartWriteOut();
        }

        foreach (ReplacementFile file in _shared.Values.Concat(_own))
        {
            file.Complete(_items, _batch);
        }
    }

    /// <summary>Closes them.</summary>
    public void Dispose()
    {
        foreach (ReplacementFile file in _shared.Values.Concat(_own))
        {
            file.Dispose();
        }

        _shared.Clear();
        _own.Clear();
    }
}
