using BtrfsClone.Interop;

namespace BtrfsClone.Measuring;

/// <summary>A reference of an item's file to an extent.</summary>
internal struct ReclaimReference : IComparable<ReclaimReference>
{
    public ExtentOwner Owner;

    /// <summary>The size of the extent on disk.</summary>
    public long DiskLength;

    /// <summary>The item's number.</summary>
    public int Item;

    /// <summary>The file has several names.</summary>
    public bool IsLinked;

    /// <summary>A snapshot may share the leaf that contains the reference: one count in the extent tree may then be for both.</summary>
    public bool MayBeShared;

    public readonly int CompareTo(ReclaimReference other)
    {
        int order = ExtentOwner.Compare(Owner, other.Owner);
        return order != 0 ? order : Item.CompareTo(other.Item);
    }
}

/// <summary>References to extents, in batches that a worker passes on.</summary>
internal sealed class ReclaimReferences
{
    private const int First = 1 << 10;

    private long[] _places = new long[First];
    private ReclaimReference[] _references = new ReclaimReference[First];

    public int Count { get; private set; }

    /// <summary>The disk addresses of the extents.</summary>
    public ReadOnlySpan<long> Places => _places.AsSpan(0, Count);

    public Span<ReclaimReference> All => _references.AsSpan(0, Count);

    public void Add(long place, in ReclaimReference reference)
    {
        Reserve(Count + 1);
        _places[Count] = place;
        _references[Count++] = reference;
    }

    public void Add(ReclaimReferences others)
    {
        Reserve(Count + others.Count);
        others.Places.CopyTo(_places.AsSpan(Count));
        others.All.CopyTo(_references.AsSpan(Count));
        Count += others.Count;
    }

    public void Clear() => Count = 0;

    /// <summary>Removes those of an item.</summary>
    public void Remove(int item)
    {
        int kept = 0;
        for (int i = 0; i < Count; i++)
        {
            if (_references[i].Item != item)
            {
                (_places[kept], _references[kept]) = (_places[i], _references[i]);
                kept++;
            }
        }

        Count = kept;
    }

    /// <summary>Sorts by extent, and the references to one extent by owner.</summary>
    public void Sort()
    {
        Array.Sort(_places, _references, 0, Count);
        for (int first = 0, next; first < Count; first = next)
        {
            next = EndOfExtent(first);
            All[first..next].Sort();
        }
    }

    /// <summary>The end of the references to an extent, whose first one is given.</summary>
    public int EndOfExtent(int first)
    {
        int next = first + 1;
        while (next < Count && _places[next] == _places[first])
        {
            next++;
        }

        return next;
    }

    private void Reserve(int count)
    {
        if (count > _places.Length)
        {
            int size = Math.Max(count, _places.Length * 2);
            Array.Resize(ref _places, size);
            Array.Resize(ref _references, size);
        }
    }
}
