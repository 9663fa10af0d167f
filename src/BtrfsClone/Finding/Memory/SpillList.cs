using System.Runtime.CompilerServices;

namespace BtrfsClone.Finding;

/// <summary>
/// Items in the order in which they were added, readable by index: in memory, or, above a certain size, in a temporary file. Not
/// safe for concurrent use.
/// </summary>
internal sealed unsafe class SpillList<T>(WorkingMemory memory) : IDisposable
    where T : unmanaged
{
    private const int FirstBytes = 4096;
    private const int TailItems = 8192;
    private const int PageBytes = 8192;
    private const int Pages = 256;

    private static readonly int s_pageItems = Math.Max(PageBytes / sizeof(T), 1);

    private void* _items;
    private long _bytes;
    private long _count;
    private SpillFile? _file;

    // For a list in a file: items added last that are not in the file yet, and pages that were read.
    private T[] _tail = [];
    private int _tailCount;
    private T[] _pages = [];
    private long[] _pageNumbers = [];

    public long Count => _count;

    private long InFile => _count - _tailCount;

    public T this[long index] => _file is null ? ((T*)_items)[Checked(index)] : ReadOne(Checked(index));

    public void Add(in T item) => Add(new ReadOnlySpan<T>(in item));

    public void Add(ReadOnlySpan<T> items)
    {
        if (_file is null && !Reserve(items.Length))
        {
            Spill();
        }

        if (_file is null)
        {
            items.CopyTo(new Span<T>((T*)_items + _count, items.Length));
            _count += items.Length;
            return;
        }

        while (items.Length > 0)
        {
            int part = Math.Min(items.Length, TailItems - _tailCount);
            items[..part].CopyTo(_tail.AsSpan(_tailCount));
            _tailCount += part;
            _count += part;
            items = items[part..];
            if (_tailCount == TailItems)
            {
                Flush();
            }
        }
    }

    /// <summary>Copies items from an index on; fewer at the end of the list. Returns their number.</summary>
    public int Read(long index, Span<T> items)
    {
        int count = (int)Math.Clamp(_count - index, 0, items.Length);
        items = items[..count];
        if (_file is null)
        {
            new ReadOnlySpan<T>((T*)_items + index, count).CopyTo(items);
            return count;
        }

        int inFile = (int)Math.Clamp(InFile - index, 0, count);
        if (inFile > 0)
        {
            _file.Read(items[..inFile], index * sizeof(T));
        }

        if (inFile < count)
        {
            _tail.AsSpan((int)(index + inFile - InFile), count - inFile).CopyTo(items[inFile..]);
        }

        return count;
    }

    /// <summary>Overwrites existing items.</summary>
    public void Write(long index, ReadOnlySpan<T> items)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(index + items.Length, _count);
        if (_file is null)
        {
            items.CopyTo(new Span<T>((T*)_items + index, items.Length));
            return;
        }

        Flush();
        _file.Write(items, index * sizeof(T));
        for (long page = index / s_pageItems; page <= (index + items.Length - 1) / s_pageItems; page++)
        {
            _pageNumbers[page % Pages] = -1;
        }
    }

    public void Dispose()
    {
        memory.Free(ref _items, ref _bytes);
        _file?.Dispose();
        (_file, _tail, _pages, _count, _tailCount) = (null, [], [], 0, 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long Checked(long index) =>
        (ulong)index < (ulong)_count ? index : throw new ArgumentOutOfRangeException(nameof(index));

    private bool Reserve(int more)
    {
        long needed = (_count + more) * sizeof(T);
        if (needed <= _bytes)
        {
            return true;
        }

        // Grow by half, or only as much as needed if little memory is left.
        return memory.TryGrow(ref _items, ref _bytes, Math.Max(needed, Math.Max(_bytes / 2 * 3, FirstBytes))) ||
            memory.TryGrow(ref _items, ref _bytes, needed);
    }

    private void Spill()
    {
        const int Part = 1 << 20;
        _file = new SpillFile(memory.Folder);
        for (long done = 0; done < _count; done += Part)
        {
            _file.Write(new ReadOnlySpan<T>((T*)_items + done, (int)Math.Min(Part, _count - done)), done * sizeof(T));
        }

        memory.Free(ref _items, ref _bytes);
        _tail = new T[TailItems];
        _pages = new T[Pages * s_pageItems];
        _pageNumbers = new long[Pages];
        Array.Fill(_pageNumbers, -1);
    }

    private void Flush()
    {
        _file!.Write<T>(_tail.AsSpan(0, _tailCount), InFile * sizeof(T));
        _tailCount = 0;
    }

    private T ReadOne(long index)
    {
        if (index >= InFile)
        {
            return _tail[index - InFile];
        }

        long page = index / s_pageItems;
        int slot = (int)(page % Pages);
        Span<T> items = _pages.AsSpan(slot * s_pageItems, s_pageItems);
        if (_pageNumbers[slot] != page)
        {
            long first = page * s_pageItems;
            int count = (int)Math.Min(s_pageItems, InFile - first);
            _file!.Read(items[..count], first * sizeof(T));

            // A page that is not full may be filled later.
            _pageNumbers[slot] = count == s_pageItems ? page : -1;
        }

        return items[(int)(index % s_pageItems)];
    }
}
