using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Measuring;

/// <summary>The references of the files of all items on one filesystem, and which extents have no others. Requires CAP_SYS_ADMIN.</summary>
/// <remarks>
/// The extent tree counts the references of each extent: one for each file extent in a leaf, however many snapshots share the leaf.
/// So an extent with more references than the items have is also held by something else; and if it has as many, and no snapshot
/// shares a leaf of these, by nothing else. For all others the kernel is asked.
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

    /// <summary>Starts, after writing all dirty data to disk.</summary>
    /// <param name="file">An open file on the filesystem, whose ownership is transferred to the set.</param>
    /// <param name="fileSystem">The filesystem's id.</param>
    /// <param name="path">The path to use in error messages.</param>
    /// <param name="sets">The sets of items.</param>
    /// <exception cref="BtrfsException">The dirty data cannot be written, or the trees cannot be read.</exception>
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

    /// <summary>Adds references; callable on any thread.</summary>
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

    /// <summary>Removes everything of an item.</summary>
    public void Remove(int item)
    {
        _references.Remove(item);
        _linked.Remove(item);
    }

    /// <summary>Counts the extents, by their holders.</summary>
    /// <param name="totals">Receives them.</param>
    /// <param name="tick">Called from time to time.</param>
    /// <param name="cancellation">Cancels the operation.</param>
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
    /// <param name="totals">Receives it.</param>
    /// <param name="first">The first reference of the items.</param>
    /// <param name="next">The index after the last one.</param>
    /// <param name="known">The total number of its references in the extent tree; 0 if it is unknown.</param>
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

    /// <summary>
    /// The items to which all of the references belong, and the number of references: those of overlapping items count once.
    /// </summary>
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

    /// <summary>Takes the references of one file extent, of which there are several if items overlap.</summary>
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

    /// <summary>Asks the kernel for the references to an extent; there must be none besides those of the items.</summary>
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
