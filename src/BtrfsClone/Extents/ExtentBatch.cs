namespace BtrfsClone.Extents;

/// <summary>A growable array of file extents in file order, which is reused: a source returns many at once in it.</summary>
internal sealed class ExtentBatch
{
    private FileExtent[] _pieces = new FileExtent[256];

    public int Count { get; private set; }

    public ref readonly FileExtent this[int index] => ref _pieces[index];

    public void Clear() => Count = 0;

    public FileExtent RemoveLast() => _pieces[--Count];

    /// <summary>Extends the last file extent by one that continues it, in the file and on disk, if possible.</summary>
    public bool TryExtendLast(in FileExtent piece)
    {
        ref FileExtent last = ref _pieces[Count - 1];
        bool goesOn = last.End == piece.Offset && last.Kind == piece.Kind && last.IsShared == piece.IsShared &&
            last.Compression == piece.Compression &&
            (last.Kind == ExtentKind.Delalloc || last.PhysicalOffset + last.Length == piece.PhysicalOffset);
        if (goesOn)
        {
            last = last.Part(last.Offset, piece.End);
        }

        return goesOn;
    }

    public void Add(in FileExtent piece)
    {
        if (Count == _pieces.Length)
        {
            Array.Resize(ref _pieces, Count * 2);
        }

        _pieces[Count++] = piece;
    }
}

/// <summary>A source of batches of file extents, in file order and without overlap; holes are skipped.</summary>
internal interface IExtentSource
{
    /// <summary>Adds the next file extents to the batch. False at the end; an empty batch does not mean the end.</summary>
    bool Fill(ExtentBatch batch);
}
