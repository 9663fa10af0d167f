namespace BtrfsClone.Finding;

/// <summary>A sorted range of items in a file.</summary>
internal readonly record struct SortedPart(long Start, long Count);

/// <summary>
/// Sorted parts of about equal size, in a temporary file. Many of them are merged into one part of the next level, so that each
/// item is written once per level: with 128 parts per level, twice for 16,384 times the size of memory.
/// </summary>
/// <param name="folder">The folder for the file.</param>
internal sealed class SortedLevel(string folder) : IDisposable
{
    private readonly List<SortedPart> _parts = [];
    private SpillFile? _file;
    private long _end;

    public IReadOnlyList<SortedPart> Parts => _parts;

    /// <summary>Adds a part.</summary>
    public void Add<T>(ReadOnlySpan<T> items)
        where T : unmanaged
    {
        Begin();
        Append(items);
    }

    /// <summary>Starts a part that is added incrementally.</summary>
    public void Begin() => _parts.Add(new SortedPart(_end, 0));

    /// <summary>Appends items to the part that was started last.</summary>
    public unsafe void Append<T>(ReadOnlySpan<T> items)
        where T : unmanaged
    {
        _file ??= new SpillFile(folder);
        _file.Write(items, _end * sizeof(T));
        _end += items.Length;
        _parts[^1] = _parts[^1] with { Count = _parts[^1].Count + items.Length };
    }

    /// <summary>Reads items, by their index in the file.</summary>
    public unsafe void Read<T>(Span<T> items, long position)
        where T : unmanaged => _file!.Read(items, position * sizeof(T));

    /// <summary>Removes all parts, and frees their space.</summary>
    public void Clear()
    {
        Dispose();
        _parts.Clear();
        (_file, _end) = (null, 0);
    }

    public void Dispose() => _file?.Dispose();
}
