using System.Text;

namespace BtrfsClone.Interop;

/// <summary>Text as the zero-terminated bytes that the C library takes.</summary>
internal static class Utf8Z
{
    public static byte[] From(string text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }

    /// <summary>The length in bytes of a zero-terminated name, without its end.</summary>
    public static unsafe int Length(byte* name) =>
        System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name).Length;

    /// <summary>The bytes of a zero-terminated name, without its end and what follows that.</summary>
    public static ReadOnlySpan<byte> Span(byte[] name) => name.AsSpan(0, Array.IndexOf(name, (byte)0));

    /// <summary>A name or path for people: bytes that are not UTF-8 become U+FFFD.</summary>
    public static string ToText(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
