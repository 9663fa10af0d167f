using BtrfsClone.Interop;

namespace BtrfsClone.Sending;

/// <summary>A path in the subvolume that is sent, which is extended and shortened during a walk.</summary>
/// <param name="top">The directory that is sent, an absolute path.</param>
/// <param name="nameLength">The length of the subvolume's name in bytes.</param>
internal sealed class SendPath(string top, int nameLength)
{
    private readonly byte[] _bytes = new byte[SendContext.LongestPath];

    /// <summary>The path, empty for the subvolume's root.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    /// <summary>Its length in bytes.</summary>
    public int Length { get; private set; }

    /// <summary>The path at the source, for display.</summary>
    public string Text => TextOf([]);

    /// <summary>Appends an entry's name. False if the result would be too long for a receiver.</summary>
    public bool TryEnter(ReadOnlySpan<byte> name)
    {
        int slash = Length == 0 ? 0 : 1;
        if (nameLength + 1 + Length + slash + name.Length > _bytes.Length)
        {
            return false;
        }

        if (slash == 1)
        {
            _bytes[Length] = (byte)'/';
        }

        name.CopyTo(_bytes.AsSpan(Length + slash));
        Length += slash + name.Length;
        return true;
    }

    /// <summary>Shortens the path to a previous length.</summary>
    public void Return(int length) => Length = length;

    /// <summary>The path of an entry at the source, for display.</summary>
    public string TextOf(ReadOnlySpan<byte> name)
    {
        string path = Length == 0 ? top : $"{top}/{Utf8Z.ToText(Bytes)}";
        return name.IsEmpty ? path : $"{path}/{Utf8Z.ToText(name)}";
    }
}
