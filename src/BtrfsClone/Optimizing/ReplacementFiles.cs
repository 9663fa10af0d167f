using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>
/// The unnamed files of one round. Replacements with the same compression are in one file, a block apart, so that each has separate
/// extents and all are written to disk together. One that ends inside a block ends its file.
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

    /// <summary>Starts an item.</summary>
    /// <param name="directory">A directory on the filesystem.</param>
    /// <param name="path">The path to use in error messages.</param>
    /// <param name="blockSize">The filesystem's block size.</param>
    public void Start(Descriptor directory, string path, long blockSize) =>
        (_directory, _path, _blockSize) = (directory, path, blockSize);

    /// <summary>Determines where to write a replacement.</summary>
    /// <exception cref="BtrfsException">A file cannot be created.</exception>
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

        // A write beyond the limit would raise a signal (SIGXFSZ).
        at = file.Next;
        if ((ulong)(at + replacement.Length) > _sizeLimit)
        {
            throw new BtrfsException(BtrfsError.FileTooLarge, _path);
        }

        file.Next += replacement.Length + _blockSize;
        return file;
    }

    /// <summary>Waits until all data is on disk.</summary>
    /// <exception cref="BtrfsException">This failed.</exception>
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

    /// <summary>Closes the files.</summary>
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
