using System.Runtime.InteropServices;
using System.Text;

namespace BtrfsClone.Interop;

/// <summary>
/// Converts names and paths between the bytes of the C library and text. The bytes need not be UTF-8: a byte that is not becomes
/// one character, U+DC80 to U+DCFF, which valid UTF-8 never decodes to, and is converted back to the same byte. Python calls this
/// surrogateescape (PEP 383).
/// </summary>
internal static class Utf8Z
{
    /// <summary>The bytes of a name or path, null-terminated.</summary>
    /// <exception cref="BtrfsException">
    /// <see cref="BtrfsError.InvalidPath"/>: the kernel would use only the part before a NUL, and any other half of a surrogate
    /// pair has no bytes.
    /// </exception>
    public static byte[] From(string text)
    {
        byte[] bytes = text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0
            ? Encoding.UTF8.GetBytes(text + '\0')
            : FromSurrogates(text);
        return bytes.AsSpan().IndexOf((byte)0) == bytes.Length - 1
            ? bytes
            : throw new BtrfsException(BtrfsError.InvalidPath, text);
    }

    /// <summary>
    /// Writes a text without NUL to a buffer, null-terminated. Returns the length in bytes, without the terminating null.
    /// </summary>
    public static int Write(string text, Span<byte> buffer)
    {
        int length = Encoding.UTF8.GetBytes(text, buffer);
        buffer[length] = 0;
        return length;
    }

    /// <summary>The length in bytes of a null-terminated name, without the terminating null.</summary>
    public static unsafe int Length(byte* name) => MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name).Length;

    /// <summary>The bytes of a null-terminated name, without the terminating null; valid as long as its memory.</summary>
    public static unsafe ReadOnlySpan<byte> Span(byte* name) =>
        System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);

    /// <summary>The bytes of a null-terminated name, without the terminating null and what follows it.</summary>
    public static ReadOnlySpan<byte> Span(byte[] name) => name.AsSpan(0, Array.IndexOf(name, (byte)0));

    /// <summary>The text of a name or path, which <see cref="From"/> converts back to the same bytes.</summary>
    public static string ToText(ReadOnlySpan<byte> bytes) => PathText.FromBytes(bytes);

    private static byte[] FromSurrogates(string text)
    {
        // A character becomes at most three bytes.
        byte[] bytes = new byte[(3 * text.Length) + 1];
        int count = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (Rune.TryGetRuneAt(text, i, out Rune rune))
            {
                count += rune.EncodeToUtf8(bytes.AsSpan(count));
                i += rune.Utf16SequenceLength - 1;
            }
            else
            {
                bytes[count++] = PathText.IsEscape(text[i])
                    ? PathText.Unescape(text[i])
                    : throw new BtrfsException(BtrfsError.InvalidPath, text);
            }
        }

        return bytes[..(count + 1)];
    }
}
