namespace BtrfsClone.Extents;

/// <summary>
/// A growing array of pieces in file order that is filled again and again: how a source hands out many at once.
/// </summary>
internal sealed class ExtentBatch
{
    private FileExtent[] _pieces = new FileExtent[256];

    public int Count { get; private set; }

    public ref readonly FileExtent this[int index] => ref _pieces[index];

    public void Clear() => Count = 0;

    public FileExtent RemoveLast() => _pieces[--Count];

    /// <summary>Makes the last piece longer by one that goes on where it ends, in the file and on disk, if it does.</summary>
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

/// <summary>Where batches of pieces come from, in file order and without overlap; holes are left out.</summary>
internal interface IExtentSource
{
    /// <summary>Puts the next pieces into the batch. False is the end; an empty batch is not.</summary>
    bool Fill(ExtentBatch batch);
}
