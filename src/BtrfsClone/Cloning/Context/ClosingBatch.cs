using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Descriptors that are no longer needed. They are closed in batches, adjacent ones with one call: as long as none is closed, a
/// worker's descriptors are mostly adjacent.
/// </summary>
internal sealed class ClosingBatch(int capacity)
{
    private readonly Descriptor[] _descriptors = new Descriptor[capacity];
    private int _count;

    public void Add(Descriptor descriptor)
    {
        _descriptors[_count++] = descriptor;
        if (_count == _descriptors.Length)
        {
            CloseAll();
        }
    }

    public void CloseAll()
    {
        Sys.CloseAll(_descriptors.AsSpan(0, _count));
        _count = 0;
    }
}
