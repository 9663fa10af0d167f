using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Measuring;

/// <summary>
/// The references of the files of all items on one filesystem, and which extents nothing else refers to. Needs CAP_SYS_ADMIN.
/// </summary>
/// <remarks>
/// The extent tree counts the references of each extent: one for each piece in a leaf, however many snapshots share the leaf. So
/// an extent with more of them than the items have is held by something else; and if it has as many, and no snapshot shares a
/// leaf of these, by nothing else. All others the kernel is asked for.
/// </remarks>
internal sealed class ReclaimSet : IDisposable
{
    private const int Batch = 4096;

    private readonly OwnedDescriptor _file;
    private readonly string _path;
    private readonly IItemSets _sets;
    private readonly LinkedFiles _linked;
    private readonly ReclaimReferences _references = new();
    private readonly OwnerSearch _owners = new();
    private readonly TreeSearch _search = new();
    private readonly TreeState _state;

    /// <summary>Begins, with all written out.</summary>
    /// <param name="file">An open file of the filesystem, which the set then owns.</param>
    /// <param name="fileSystem">The filesystem's id.</param>
    /// <param name="path">What to call it in errors.</param>
    /// <param name="sets">The sets of items.</param>
    /// <exception cref="BtrfsException">It cannot be written out, or the trees cannot be read.</exception>
    public ReclaimSet(OwnedDescriptor file, Guid fileSystem, string path, IItemSets sets)
    {
        (_file, _path, FileSystem, _sets) = (file, path, fileSystem, sets);
        _linked = new LinkedFiles(sets);
        _owners.Start(file.Descriptor, path);
        _search.Start(file.Descriptor, path);
        _state = new TreeState(_search);
        _state.Start(file.Descriptor, BtrfsKey.TopLevel, BtrfsKey.FirstFree);
        Check(_owners.Probe(), SystemCall.LogicalIno);
        Check(Sys.SyncFileSystem(file.Descriptor), SystemCall.SyncFs);
        Check(_state.Look(), SystemCall.TreeSearch);
    }

    public Guid FileSystem { get; }

    /// <inheritdoc cref="LinkedFiles.Items"/>
    public IEnumerable<int[]> LinkedItems => _linked.Items;

    /// <summary>Adds references; on any thread.</summary>
    public void Add(ReclaimReferences references)
    {
        lock (_references)
        {
            _references.Add(references);
        }
    }

    /// <inheritdoc cref="LinkedFiles.Add"/>
    public void AddName(int item, ulong subvolume, ulong inode, ulong key, int links)
    {
        lock (_linked)
        {
            _linked.Add(item, subvolume, inode, key, links);
        }
    }

    /// <summary>Forgets all of an item.</summary>
    public void Remove(int item)
    {
        _references.Remove(item);
        _linked.Remove(item);
    }

    /// <summary>Counts the extents, by those who hold them.</summary>
    /// <param name="totals">Takes them.</param>
    /// <param name="tick">Is called now and then.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public void Count(IExtentTotals totals, Action tick, CancellationToken cancellation)
    {
        _references.Sort();
        var counts = new ReferenceCounts(_file.Descriptor, _path);
        Span<ulong> known = stackalloc ulong[Batch];
        for (int first = 0; first < _references.Count;)
        {
            cancellation.ThrowIfCancellationRequested();
            tick();
            int extents = 0;
            bool isStill = _state.IsStill();
            for (int next = first; next < _references.Count && extents < Batch; next = _references.EndOfExtent(next))
            {
                known[extents++] = isStill ? counts.Of(_references.Places[next]) : 0;
            }

            isStill = isStill && _state.IsStill();
            for (int i = 0; i < extents; i++)
            {
                int next = _references.EndOfExtent(first);
                Count(totals, first, next, isStill ? known[i] : 0);
                first = next;
            }
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>Counts an extent.</summary>
    /// <param name="totals">Takes it.</param>
    /// <param name="first">The first reference of the items.</param>
    /// <param name="next">Behind the last one.</param>
    /// <param name="known">How many references it has in all, as the extent tree counts; 0 where that is not known.</param>
    private void Count(IExtentTotals totals, int first, int next, ulong known)
    {
        Span<ReclaimReference> references = _references.All[first..next];
        (Membership owners, ulong count, bool mayBeShared) = Summarize(references);
        if (known > count)
        {
            owners = default;
        }
        else if (known != count || mayBeShared)
        {
            owners = Ask(_references.Places[first], references);
        }

        totals.Add(references, owners);
    }

    /// <summary>To which items all of the references belong, and how many there are: those of overlapping items once.</summary>
    private (Membership Owners, ulong Count, bool MayBeShared) Summarize(ReadOnlySpan<ReclaimReference> references)
    {
        (ulong count, bool mayBeShared) = (0, false);
        Membership all = default;
        while (!references.IsEmpty)
        {
            Membership one = Take(ref references, out bool mayOneBeShared);
            all = count++ == 0 ? one : Both(all, one);
            mayBeShared |= mayOneBeShared;
        }

        return (all, count, mayBeShared);
    }

    /// <summary>Takes the references of one piece, of which there are several where items overlap.</summary>
    private Membership Take(ref ReadOnlySpan<ReclaimReference> references, out bool mayBeShared)
    {
        ReclaimReference first = references[0];
        int items = ItemSets.Empty;
        mayBeShared = false;
        int count = 0;
        for (; count < references.Length && ExtentOwner.Compare(references[count].Owner, first.Owner) == 0; count++)
        {
            items = _sets.Union(_sets.Of(references[count].Item), items);
            mayBeShared |= references[count].MayBeShared;
        }

        references = references[count..];
        return first.IsLinked ? _linked.Of(first.Owner.Root, first.Owner.Inode) : new Membership(items, items, IsInAll: true);
    }

    /// <summary>Asks the kernel who refers to an extent; nobody is allowed whom the items do not have.</summary>
    private Membership Ask(long place, Span<ReclaimReference> references)
    {
        Membership all = default;
        bool any = false;
        int at = 0;
        foreach (ExtentOwner owner in _owners.Find(place))
        {
            while (at < references.Length && ExtentOwner.Compare(references[at].Owner, owner) < 0)
            {
                at++;
            }

            if (at == references.Length || ExtentOwner.Compare(references[at].Owner, owner) != 0)
            {
                return default;
            }

            ReadOnlySpan<ReclaimReference> rest = references[at..];
            Membership one = Take(ref rest, out _);
            all = any ? Both(all, one) : one;
            any = true;
        }

        return all;
    }

    private Membership Both(in Membership one, in Membership other) => new(
        _sets.Intersect(one.Whole, other.Whole), _sets.Union(one.Any, other.Any), one.IsInAll && other.IsInAll);

    private void Check(CallResult result, SystemCall call)
    {
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, call, _path);
        }
    }
}
