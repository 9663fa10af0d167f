using BtrfsClone.Interop;

namespace BtrfsClone.Measuring;

/// <summary>The items of a session, on any filesystems.</summary>
/// <param name="isOfFiles">
/// Whether the references are those of single files in a ledger, not of the items: then they are counted by <see cref="Count"/>.
/// </param>
internal sealed class ReclaimItems(bool isOfFiles) : IDisposable
{
    private readonly ItemSets _sets = new();
    private readonly List<ReclaimSet> _fileSystems = [];
    private readonly SortedList<int, MeasureResult> _measured = [];
    private int _count;

    /// <summary>Starts an item.</summary>
    /// <param name="opened">The item, open.</param>
    /// <param name="path">Its path.</param>
    /// <exception cref="BtrfsException">The owners of its extents may not be looked up, or cannot be.</exception>
    public ReclaimItem Begin(Descriptor opened, string path)
    {
        CallResult result = Sys.BtrfsFsid(opened, out Guid fileSystem);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.FsInfo, path);
        }

        if (_fileSystems.Find(one => one.FileSystem == fileSystem) is not { } set)
        {
            result = Sys.Duplicate(opened, out Descriptor own);
            if (result.Failed)
            {
                throw BtrfsException.FromErrno(result.Error, SystemCall.Fcntl, path);
            }

            var file = new OwnedDescriptor(own);
            try
            {
                _fileSystems.Add(set = new ReclaimSet(file, fileSystem, path, isOfFiles ? new NoItemSets() : _sets));
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }

        return new ReclaimItem(_count++, set);
    }

    /// <summary>Stores the measurement of an item.</summary>
    public void End(ReclaimItem item, MeasureResult measured) => _measured.Add(item.Number, measured);

    /// <summary>Removes an item that could not be measured. What is recorded of files in a ledger stays.</summary>
    public void Drop(ReclaimItem item)
    {
        if (!isOfFiles)
        {
            item.Set.Remove(item.Number);
        }
    }

    /// <summary>The numbers in the ledger of each file with several names.</summary>
    public IEnumerable<int[]> LinkedNames => _fileSystems.SelectMany(set => set.LinkedItems);

    /// <summary>Counts the extents of all items.</summary>
    /// <param name="totals">Receives them.</param>
    /// <param name="tick">Called from time to time.</param>
    /// <param name="cancellation">Cancels the operation.</param>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public void Count(IExtentTotals totals, Action tick, CancellationToken cancellation) =>
        _fileSystems.ForEach(set => set.Count(totals, tick, cancellation));

    /// <summary>The measurements of all items, with what would be freed.</summary>
    /// <param name="detailed">Whether to compute what is freed only by deleting several items together.</param>
    /// <param name="tick">Called from time to time.</param>
    /// <param name="cancellation">Cancels the operation.</param>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public IReadOnlyList<MeasureResult> Complete(bool detailed, Action tick, CancellationToken cancellation)
    {
        var totals = new ReclaimTotals(_sets);
        Count(totals, tick, cancellation);
        ILookup<int, ReclaimableGroup> groups = totals.Together.OrderByDescending(group => group.Length)
            .SelectMany(group => _sets[group.Items].ToArray().Select(item => (Item: item, Group: Group(item, group))))
            .ToLookup(one => one.Item, one => one.Group);
        foreach ((int item, MeasureResult result) in _measured)
        {
            result.ReclaimableLength = totals.Of(item);
            result.SetReclaimableLength = totals.Set;
            result.ReclaimableTogether = detailed ? [.. groups[item]] : null;
        }

        return [.. _measured.Values];
    }

    public void Dispose() => _fileSystems.ForEach(set => set.Dispose());

    private ReclaimableGroup Group(int item, (int Items, long Length) group) => new()
    {
        Length = group.Length,
        With = [.. _sets[group.Items].ToArray().Where(other => other != item).Select(other => _measured[other].Path)],
    };
}
