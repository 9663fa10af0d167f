using BtrfsClone.Measuring;

namespace BtrfsClone.Reporting;

/// <summary>Assigns each extent to the files and directories that hold it.</summary>
/// <remarks>
/// In tree order, two neighbours among the holders of an extent have one deepest common directory; each directory counts the extent
/// once if one is subtracted there for each pair of neighbours. And the deepest directory common to all is the first whose deletion
/// frees it.
/// </remarks>
/// <param name="tree">The tree, in its order.</param>
/// <param name="tops">Receives what top directories share.</param>
internal sealed class ExtentHolders(ReportTree tree, TopPairs tops) : IExtentTotals
{
    private readonly Dictionary<int, int[]> _names = [];
    private readonly List<ReportNode> _holders = [];

    /// <summary>Adds the nodes of each file with several names.</summary>
    public void AddNames(IEnumerable<int[]> linked)
    {
        foreach (int[] numbers in linked)
        {
            foreach (int number in numbers)
            {
                _names[number] = numbers;
            }
        }
    }

    public void Add(ReadOnlySpan<ReclaimReference> references, in Membership owners)
    {
        int files = Find(references);
        long length = references[0].DiskLength;
        ReportNode all = _holders[0];
        for (int i = 0; i < _holders.Count; i++)
        {
            ReportNode holder = _holders[i];
            holder.DataLength += length;
            holder.ExtentCount++;
            if (i > 0)
            {
                ReportNode common = ReportNode.CommonOf(_holders[i - 1], holder);
                common.DataLength -= length;
                common.ExtentCount--;
                all = common.Depth < all.Depth ? common : all;
            }
        }

        if (owners.IsInAll && files == 1)
        {
            all.AloneLength += length;
        }
        else if (owners.IsInAll)
        {
            all.InsideLength += length;
        }

        tops.Add(_holders, !owners.IsInAll, length);
    }

    /// <summary>Finds the nodes of the files with references to an extent, in order. Returns the number of files.</summary>
    private int Find(ReadOnlySpan<ReclaimReference> references)
    {
        _holders.Clear();
        int files = 0;
        for (int i = 0; i < references.Length; i++)
        {
            ref readonly ReclaimReference reference = ref references[i];
            bool isSame = i > 0 && reference.Owner.Root == references[i - 1].Owner.Root &&
                reference.Owner.Inode == references[i - 1].Owner.Inode;
            files += isSame ? 0 : 1;
            if (isSame && reference.Item == references[i - 1].Item)
            {
                continue;
            }

            if (!reference.IsLinked || !_names.TryGetValue(reference.Item, out int[]? names))
            {
                _holders.Add(tree.Nodes[reference.Item]);
                continue;
            }

            foreach (int name in names)
            {
                _holders.Add(tree.Nodes[name]);
            }
        }

        if (_holders.Count > 1)
        {
            _holders.Sort(static (one, other) => one.Order.CompareTo(other.Order));
            int kept = 1;
            for (int i = 1; i < _holders.Count; i++)
            {
                if (_holders[i] != _holders[i - 1])
                {
                    _holders[kept++] = _holders[i];
                }
            }

            _holders.RemoveRange(kept, _holders.Count - kept);
        }

        return files;
    }
}
