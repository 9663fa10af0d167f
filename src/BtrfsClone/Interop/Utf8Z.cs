using System.Text;

namespace BtrfsClone.Interop;

/// <summary>Text as the zero-terminated bytes that the C library takes.</summary>
internal static class Utf8Z
{
    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    /// <summary>The bytes of a name or path.</summary>
    /// <exception cref="BtrfsException">
    /// <see cref="BtrfsError.InvalidPath"/>: the kernel would take the part before a NUL for the whole, and half of a
    /// surrogate pair has no bytes.
    /// </exception>
    public static byte[] From(string text)
    {
        try
        {
            byte[] bytes = new byte[s_strict.GetByteCount(text) + 1];
            s_strict.GetBytes(text, bytes);
            return bytes.AsSpan().IndexOf((byte)0) == bytes.Length - 1
                ? bytes
                : throw new BtrfsException(BtrfsError.InvalidPath, text);
        }
        catch (EncoderFallbackException)
        {
            throw new BtrfsException(BtrfsError.InvalidPath, text);
        }
    }

    /// <summary>Writes a text without NUL and its end into a buffer. Returns the length in bytes, without the end.</summary>
    public static int Write(string text, Span<byte> buffer)
    {
        int length = Encoding.UTF8.GetBytes(text, buffer);
        buffer[length] = 0;
        return length;
    }

    /// <summary>The length in bytes of a zero-terminated name, without its end.</summary>
    public static unsafe int Length(byte* name) =>
        System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name).Length;

    /// <summary>The bytes of a zero-terminated name, without its end and what follows that.</summary>
    public static ReadOnlySpan<byte> Span(byte[] name) => name.AsSpan(0, Array.IndexOf(name, (byte)0));

    /// <summary>A name or path for people: bytes that are not UTF-8 become U+FFFD.</summary>
    public static string ToText(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
