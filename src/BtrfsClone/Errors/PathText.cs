using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace BtrfsClone;

/// <summary>
/// Paths as text. A Linux path is a sequence of bytes, which need not be valid UTF-8. In every path that this library accepts or
/// returns, a byte that is not UTF-8 is encoded as one character from U+DC80 to U+DCFF, half of a surrogate pair, whose low eight
/// bits are the byte.
/// </summary>
public static class PathText
{
    private const char FirstEscape = '\uDC80';
    private const char LastEscape = '\uDCFF';

    // The low half of an escape is the escaped byte.
    private const int Escape = 0xDC00;

    /// <summary>Converts the bytes of a path to text.</summary>
    /// <param name="bytes">The bytes, without a terminating null.</param>
    /// <returns>The text, which represents these bytes unambiguously.</returns>
    public static string FromBytes(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes))
        {
            return Encoding.UTF8.GetString(bytes);
        }

        StringBuilder text = new(bytes.Length);
        Span<char> characters = stackalloc char[2];
        while (!bytes.IsEmpty)
        {
            bool isValid = Rune.DecodeFromUtf8(bytes, out Rune rune, out int length) == System.Buffers.OperationStatus.Done;
            if (isValid)
            {
                text.Append(characters[..rune.EncodeToUtf16(characters)]);
            }
            else
            {
                foreach (byte one in bytes[..length])
                {
                    text.Append((char)(Escape + one));
                }
            }

            bytes = bytes[length..];
        }

        return text.ToString();
    }

    /// <summary>The last component of a path; for the root, the root itself.</summary>
    public static string NameOf(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return path is "/" ? path : Path.GetFileName(path);
    }

    /// <summary>A path as one line for display: control characters in names must not reach the terminal or break the line.</summary>
    /// <param name="path">Any path.</param>
    /// <returns>
    /// The path; each byte of a control character, and each byte that is not UTF-8, as <c>\x</c> and two hexadecimal digits.
    /// </returns>
    public static string Printable(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!path.Any(c => char.IsControl(c) || char.IsLowSurrogate(c)))
        {
            return path;
        }

        StringBuilder text = new(path.Length + 8);
        for (int i = 0; i < path.Length; i++)
        {
            bool isEscape = IsEscape(path[i]) && (i == 0 || !char.IsHighSurrogate(path[i - 1]));
            if (!isEscape && !char.IsControl(path[i]))
            {
                text.Append(path[i]);
                continue;
            }

            foreach (byte one in isEscape ? [Unescape(path[i])] : Encoding.UTF8.GetBytes(path, i, 1))
            {
                text.Append(CultureInfo.InvariantCulture, $"\\x{one:x2}");
            }
        }

        return text.ToString();
    }

    /// <summary>Whether a character that is not part of a surrogate pair represents a byte that is not UTF-8.</summary>
    internal static bool IsEscape(char character) => character is >= FirstEscape and <= LastEscape;

    /// <summary>The byte that an escape represents.</summary>
    internal static byte Unescape(char escape) => (byte)(escape - Escape);
}
