namespace BtrfsClone.Finding;

/// <summary>Items in a file that are sorted.</summary>
internal readonly record struct SortedPart(long Start, long Count);

/// <summary>
/// Sorted parts of about one size, in a temporary file. Many of them become one part of the next level, so that each item is
/// written as often as there are levels: with 128 parts to a level, twice for 16,384 times what memory holds.
/// </summary>
/// <param name="folder">Where the file goes.</param>
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

    /// <summary>Begins with a part that is added bit by bit.</summary>
    public void Begin() => _parts.Add(new SortedPart(_end, 0));

    /// <summary>Adds items to the part that was begun last.</summary>
    public unsafe void Append<T>(ReadOnlySpan<T> items)
        where T : unmanaged
    {
        _file ??= new SpillFile(folder);
        _file.Write(items, _end * sizeof(T));
        _end += items.Length;
        _parts[^1] = _parts[^1] with { Count = _parts[^1].Count + items.Length };
    }

    /// <summary>Reads items, by their number in the file.</summary>
    public unsafe void Read<T>(Span<T> items, long position)
        where T : unmanaged => _file!.Read(items, position * sizeof(T));

    /// <summary>Forgets all parts, and gives their room back.</summary>
    public void Clear()
    {
        Dispose();
        _parts.Clear();
        (_file, _end) = (null, 0);
    }

    public void Dispose() => _file?.Dispose();
}
