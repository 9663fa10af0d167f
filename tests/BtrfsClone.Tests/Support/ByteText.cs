using System.Text;

namespace BtrfsClone.Tests.Support;

/// <summary>
/// Names on Linux are bytes, not text. The tests hold them as strings whose characters are bytes (U+0000 to U+00FF),
/// so that names which are no UTF-8 can be joined, sorted and compared like any other.
/// </summary>
public static class ByteText
{
    private const int MaxShown = 240;

    /// <summary>The byte text of a name given as text: its UTF-8 bytes.</summary>
    public static string FromText(string text) => FromBytes(Encoding.UTF8.GetBytes(text));

    public static string FromBytes(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    public static byte[] ToBytes(string byteText) => Encoding.Latin1.GetBytes(byteText);

    /// <summary>The bytes with a zero byte at the end, as the C library takes them.</summary>
    public static byte[] ToBytesZ(string byteText) => ToBytes(byteText + '\0');

    /// <summary>For reports: what is not printable ASCII as <c>\xNN</c>, and the middle of long text left out.</summary>
    public static string Show(string byteText)
    {
        StringBuilder shown = new();
        foreach (char c in byteText)
        {
            _ = c is >= ' ' and <= '~' and not '\\' ? shown.Append(c) : shown.Append($"\\x{(int)c:x2}");
        }

        return shown.Length <= MaxShown
            ? shown.ToString()
            : $"{shown.ToString(0, MaxShown / 2)}...{shown.ToString(shown.Length - (MaxShown / 2), MaxShown / 2)}";
    }
}
