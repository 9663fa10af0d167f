using BtrfsClone.Interop;

namespace BtrfsClone.Measuring;

/// <summary>The items of a session, on any filesystems.</summary>
/// <param name="isOfFiles">
/// Whether the references are those of single files in a ledger, and not of the items: then they are counted by
/// <see cref="Count"/>.
/// </param>
internal sealed class ReclaimItems(bool isOfFiles) : IDisposable
{
    private readonly ItemSets _sets = new();
    private readonly List<ReclaimSet> _fileSystems = [];
    private readonly SortedList<int, MeasureResult> _measured = [];
    private int _count;

    /// <summary>Begins with an item.</summary>
    /// <param name="opened">The item, open.</param>
    /// <param name="path">Its path.</param>
    /// <exception cref="BtrfsException">Who refers to its extents may not be asked for, or cannot.</exception>
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

    /// <summary>Keeps what was measured of an item.</summary>
    public void End(ReclaimItem item, MeasureResult measured) => _measured.Add(item.Number, measured);

    /// <summary>Forgets an item that could not be measured. What is known of files in a ledger stays.</summary>
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
    /// <param name="totals">Takes them.</param>
    /// <param name="tick">Is called now and then.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public void Count(IExtentTotals totals, Action tick, CancellationToken cancellation) =>
        _fileSystems.ForEach(set => set.Count(totals, tick, cancellation));

    /// <summary>What was measured of all items, with what would come free.</summary>
    /// <param name="detailed">Whether it is told what comes free with several items together only.</param>
    /// <param name="tick">Is called now and then.</param>
    /// <param name="cancellation">Ends it.</param>
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
