using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>A name of a directory entry: bytes, compared by value.</summary>
internal readonly struct FileName(ReadOnlySpan<byte> name) : IEquatable<FileName>
{
    private readonly byte[] _bytes = [.. name, 0];

    /// <summary>The name, null-terminated.</summary>
    public byte[] ZeroTerminated => _bytes;

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, _bytes.Length - 1);

    public bool Equals(FileName other) => _bytes.AsSpan().SequenceEqual(other._bytes);

    public override bool Equals(object? obj) => obj is FileName other && Equals(other);

    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.AddBytes(_bytes);
        return hash.ToHashCode();
    }

    public override string ToString() => Utf8Z.ToText(Span);
}
