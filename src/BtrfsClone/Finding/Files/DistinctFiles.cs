namespace BtrfsClone.Finding;

/// <summary>A file found by the directory walk, whose extents are to be read. Sorted by tree and inode.</summary>
internal struct WantedFile : IComparable<WantedFile>
{
    public int Tree;
    public ulong Inode;

    /// <summary>The position of its name in the <see cref="FileTable"/>.</summary>
    public long Name;

    /// <summary>Its size in bytes, if the walk has requested it.</summary>
    public long Size;

    public readonly int CompareTo(WantedFile other)
    {
        int order = Tree.CompareTo(other.Tree);
        order = order != 0 ? order : Inode.CompareTo(other.Inode);
        return order != 0 ? order : Name.CompareTo(other.Name);
    }
}

/// <summary>Reads the files found by the directory walks in the order of tree and inode, each under only one of its names.</summary>
internal sealed class DistinctFiles(Sorter<WantedFile> found) : IDisposable
{
    private readonly SortedReader<WantedFile> _sorted = found.Read();
    private WantedFile _last;
    private bool _isBegun;

    /// <summary>The maximum number of files.</summary>
    public long Most => found.Count;

    public bool Next(out WantedFile file)
    {
        while (_sorted.Next(out file))
        {
            bool isOther = !_isBegun || file.Inode != _last.Inode || file.Tree != _last.Tree;
            (_last, _isBegun) = (file, true);
            if (isOther)
            {
                return true;
            }
        }

        return false;
    }

    public void Dispose() => _sorted.Dispose();
}
