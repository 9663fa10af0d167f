using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>
/// Reads the pieces of files by the items of their subvolume's tree, and hands on the extents that may be replaced.
/// </summary>
/// <param name="replacer">Takes the extents.</param>
/// <param name="targetSize">Smaller extents may be joined.</param>
/// <param name="pump">Is called between two steps; it may end the work by an exception.</param>
internal sealed class FileScan(ExtentReplacer replacer, long targetSize, Action pump)
{
    private readonly InodeCursor _cursor = new();
    private readonly CandidateExtents _candidates = new(targetSize);

    /// <summary>Begins with an item.</summary>
    public void Start() => _candidates.Clear();

    /// <summary>Reads files of one subvolume.</summary>
    /// <param name="directory">Something that is open in the subvolume.</param>
    /// <param name="path">What to call it in errors.</param>
    /// <param name="inodes">The files' numbers, sorted.</param>
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
