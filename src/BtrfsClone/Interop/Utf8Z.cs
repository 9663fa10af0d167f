using System.Runtime.InteropServices;
using System.Text;

namespace BtrfsClone.Interop;

/// <summary>
/// Names and paths between the bytes that the C library takes and text. The bytes need not be UTF-8: one that is not
/// becomes a character of its own, U+DC80 to U+DCFF, which no UTF-8 stands for, and that becomes the byte again. Python
/// calls this surrogateescape (PEP 383).
/// </summary>
internal static class Utf8Z
{
    /// <summary>The bytes of a name or path, with a zero byte at the end.</summary>
    /// <exception cref="BtrfsException">
    /// <see cref="BtrfsError.InvalidPath"/>: the kernel would take the part before a NUL for the whole, and any other half
    /// of a surrogate pair has no bytes.
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

    /// <summary>Writes a text without NUL and its end into a buffer. Returns the length in bytes, without the end.</summary>
    public static int Write(string text, Span<byte> buffer)
    {
        int length = Encoding.UTF8.GetBytes(text, buffer);
        buffer[length] = 0;
        return length;
    }

    /// <summary>The length in bytes of a zero-terminated name, without its end.</summary>
    public static unsafe int Length(byte* name) => MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name).Length;

    /// <summary>The bytes of a zero-terminated name, without its end; valid as long as its memory is.</summary>
    public static unsafe ReadOnlySpan<byte> Span(byte* name) =>
        System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);

    /// <summary>The bytes of a zero-terminated name, without its end and what follows that.</summary>
    public static ReadOnlySpan<byte> Span(byte[] name) => name.AsSpan(0, Array.IndexOf(name, (byte)0));

    /// <summary>The text of a name or path, from which <see cref="From"/> makes the same bytes again.</summary>
    public static string ToText(ReadOnlySpan<byte> bytes) => PathText.FromBytes(bytes);

    private static byte[] FromSurrogates(string text)
    {
        // A character becomes three bytes at most.
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
