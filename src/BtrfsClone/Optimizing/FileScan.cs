using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>Reads file extents from the items of their subvolume's tree, and passes on the extents that may be replaced.</summary>
/// <param name="replacer">Receives the extents.</param>
/// <param name="targetSize">Smaller extents may be joined.</param>
/// <param name="pump">Called between two steps; it may throw to end the work.</param>
internal sealed class FileScan(ExtentReplacer replacer, long targetSize, Action pump)
{
    private readonly InodeCursor _cursor = new();
    private readonly CandidateExtents _candidates = new(targetSize);

    /// <summary>Starts an item.</summary>
    public void Start() => _candidates.Clear();

    /// <summary>Reads files of one subvolume.</summary>
    /// <param name="directory">Any open file or directory in the subvolume.</param>
    /// <param name="path">The path to use in error messages.</param>
    /// <param name="inodes">The inode numbers of the files, sorted.</param>
    /// <exception cref="BtrfsException">The trees cannot be read, or there is no space.</exception>
    public void Read(Descriptor directory, string path, List<ulong> inodes)
    {
        _cursor.Start(directory, path);
        _cursor.Expect(inodes);
        foreach (ulong inode in inodes)
        {
            pump();
            ReadFile(inode);
            HandOn();
        }
    }

    private void ReadFile(ulong inode)
    {
        _cursor.Seek(inode);
        for (bool isThere = _cursor.MoveTo(BtrfsKey.ExtentData);
            isThere && _cursor.Header.Type == BtrfsKey.ExtentData;
            isThere = _cursor.MoveNext())
        {
            if (!TreeItems.TryReadFileExtent(_cursor.Item, _cursor.Header.Offset, out FileExtent piece))
            {
                throw _cursor.Malformed();
            }

            if (!_candidates.TryAdd(piece))
            {
                HandOn();
            }
        }
    }

    private void HandOn()
    {
        foreach (UsedExtent extent in _candidates.Take())
        {
            replacer.Add(extent);
        }
    }
}
