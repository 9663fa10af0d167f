using System.Globalization;

namespace BtrfsClone.Tests.Support;

/// <summary>
/// Reads output in which names stand as they are, newlines included: only who knows the next name can tell where
/// it ends.
/// </summary>
internal sealed class Scanner(string text)
{
    private int _at;

    public bool At(string expected) => string.CompareOrdinal(text, _at, expected, 0, expected.Length) == 0;

    public void Skip(string expected)
    {
        if (!At(expected))
        {
            throw new FormatException(string.Create(
                CultureInfo.InvariantCulture,
                $"Expected '{ByteText.Show(expected)}' at {_at}, found '{ByteText.Show(text[_at..Math.Min(text.Length, _at + 80)])}'."));
        }

        _at += expected.Length;
    }

    public string Until(string end)
    {
        int found = text.IndexOf(end, _at, StringComparison.Ordinal);
        if (found < 0)
        {
            throw new FormatException($"The output ends early, after {text.Length} bytes.");
        }

        string value = text[_at..found];
        _at = found + end.Length;
        return value;
    }
}
