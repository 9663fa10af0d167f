using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Descriptors that are done with. They are closed many at a time, neighbours with one call: while none is closed, a
/// worker's descriptors are mostly neighbours.
/// </summary>
internal sealed class ClosingBatch(int capacity)
{
    private readonly int[] _descriptors = new int[capacity];
    private int _count;

    public void Add(int descriptor)
    {
        _descriptors[_count++] = descriptor;
        if (_count == _descriptors.Length)
        {
            CloseAll();
        }
    }

    public void CloseAll()
    {
        Array.Sort(_descriptors, 0, _count);
        int first = 0;
        for (int i = 1; i <= _count; i++)
        {
            if (i == _count || _descriptors[i] != _descriptors[i - 1] + 1)
            {
                Sys.CloseRange(_descriptors[first], _descriptors[i - 1]);
                first = i;
            }
        }

        _count = 0;
    }
}
