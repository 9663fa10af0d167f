namespace BtrfsClone.Walking;

/// <summary>A queue of names, stored consecutively in one buffer that is reused.</summary>
internal sealed class NameQueue
{
    private byte[] _bytes = [];
    private int _head;
    private int _tail;

    public bool IsEmpty => _head == _tail;

    public void Add(ReadOnlySpan<byte> name)
    {
        if (IsEmpty)
        {
            _head = _tail = 0;
        }

        int end = _tail + name.Length + 1;
        if (end > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(end, _bytes.Length * 2));
        }

        name.CopyTo(_bytes.AsSpan(_tail));
        _bytes[end - 1] = 0;
        _tail = end;
    }

    /// <summary>The next name, valid in the buffer until another one is added.</summary>
    public ReadOnlySpan<byte> Take()
    {
        ReadOnlySpan<byte> rest = _bytes.AsSpan(_head, _tail - _head);
        ReadOnlySpan<byte> name = rest[..rest.IndexOf((byte)0)];
        _head += name.Length + 1;
        return name;
    }

    public void Clear() => _head = _tail = 0;
}
