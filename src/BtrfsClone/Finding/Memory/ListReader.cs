namespace BtrfsClone.Finding;

/// <summary>Reads a list sequentially.</summary>
internal sealed class ListReader<T>(SpillList<T> list)
    where T : unmanaged
{
    private readonly T[] _part = new T[1024];
    private int _count;
    private int _next;
    private long _position;

    /// <summary>The index of the last item read.</summary>
    public long Index => _position - _count + _next - 1;

    public bool Next(out T item)
    {
        if (_next == _count)
        {
            _count = list.Read(_position, _part);
            _position += _count;
            _next = 0;
            if (_count == 0)
            {
                item = default;
                return false;
            }
        }

        item = _part[_next++];
        return true;
    }
}
