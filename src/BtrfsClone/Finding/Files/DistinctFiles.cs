namespace BtrfsClone.Finding;

/// <summary>A file that a walk has found, to be read with its pieces. Sorted by tree and inode.</summary>
internal struct WantedFile : IComparable<WantedFile>
{
    public int Tree;
    public ulong Inode;

    /// <summary>Where its name is in the <see cref="FileTable"/>.</summary>
    public long Name;

    /// <summary>Its size in bytes, where the walk asked for it.</summary>
    public long Size;

    public readonly int CompareTo(WantedFile other)
    {
        int order = Tree.CompareTo(other.Tree);
        order = order != 0 ? order : Inode.CompareTo(other.Inode);
        return order != 0 ? order : Name.CompareTo(other.Name);
    }
}

/// <summary>Reads files that walks have found in the order of tree and inode, each under one of its names only.</summary>
internal sealed class DistinctFiles(Sorter<WantedFile> found) : IDisposable
{
    private readonly SortedReader<WantedFile> _sorted = found.Read();
    private WantedFile _last;
    private bool _isBegun;

    /// <summary>How many there may be.</summary>
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
