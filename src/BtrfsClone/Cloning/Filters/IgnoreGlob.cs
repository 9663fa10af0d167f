using System.Text;
using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// One name of a rule, with <c>*</c>, <c>?</c>, <c>[a-z]</c>, <c>[!a]</c>, <c>[[:alpha:]]</c> and <c>\</c> with git's semantics.
/// </summary>
internal sealed class IgnoreGlob
{
    private static readonly Dictionary<string, Predicate<char>> s_classes = new()
    {
        ["alnum"] = char.IsAsciiLetterOrDigit,
        ["alpha"] = char.IsAsciiLetter,
        ["blank"] = c => c is ' ' or '\t',
        ["cntrl"] = c => c is < ' ' or '\x7f',
        ["digit"] = char.IsAsciiDigit,
        ["graph"] = c => c is > ' ' and < '\x7f',
        ["lower"] = char.IsAsciiLetterLower,
        ["print"] = c => c is >= ' ' and < '\x7f',
        ["punct"] = c => c is > ' ' and < '\x7f' && !char.IsAsciiLetterOrDigit(c),
        ["space"] = c => c is ' ' or (>= '\t' and <= '\r'),
        ["upper"] = char.IsAsciiLetterUpper,
        ["xdigit"] = char.IsAsciiHexDigit,
    };

    private readonly string _text;
    private int _next;

    private IgnoreGlob(string text) => _text = text;

    /// <summary>Creates the matcher of a name.</summary>
    /// <exception cref="ArgumentException">It can never match.</exception>
    public static Predicate<string> Parse(string text)
    {
        Predicate<char>?[] parts = [.. new IgnoreGlob(Bytes(text)).Parts()];
        return name => WildcardSequence.Matches<char>(parts, Bytes(name));
    }

    /// <summary>A character for each byte: git matches bytes, so that an é is two of them.</summary>
    private static string Bytes(string text) =>
        Ascii.IsValid(text) ? text : Encoding.Latin1.GetString(Utf8Z.From(text).AsSpan()[..^1]);

    /// <summary>One for each character to match, and null for any number of them.</summary>
    private IEnumerable<Predicate<char>?> Parts()
    {
        while (_next < _text.Length)
        {
            yield return NextPart();
        }
    }

    private Predicate<char>? NextPart()
    {
        char c = _text[_next++];
        switch (c)
        {
            case '*':
                return null;
            case '?':
                return _ => true;
            case '[':
                return Set();
            default:
                char meant = c == '\\' ? Next() : c;
                return given => given == meant;
        }
    }

    private char Next() => _next < _text.Length
        ? _text[_next++]
        : throw new ArgumentException(
            $"The pattern '{PathText.FromBytes(Encoding.Latin1.GetBytes(_text))}' can never match: its end is missing. " +
            "Write '\\' before a '[' or '\\' that is meant.");

    private Predicate<char> Set()
    {
        List<Predicate<char>> members = [];
        char c = Next();
        bool isNegated = c is '!' or '^';
        c = isNegated ? Next() : c;
        do
        {
            members.Add(c == '[' && _next < _text.Length && _text[_next] == ':' ? Class() : Range(c));
            c = Next();
        }
        while (c != ']');

        return given => members.Exists(member => member(given)) != isNegated;
    }

    private Predicate<char> Range(char c)
    {
        char first = c == '\\' ? Next() : c;
        char last = first;
        if (_next + 1 < _text.Length && _text[_next] == '-' && _text[_next + 1] != ']')
        {
            _next++;
            last = Next();
            last = last == '\\' ? Next() : last;
        }

        return given => given >= first && given <= last;
    }

    private Predicate<char> Class()
    {
        int end = _text.IndexOf(":]", _next + 1, StringComparison.Ordinal);
        string name = end < 0 ? "" : _text[(_next + 1)..end];
        if (!s_classes.TryGetValue(name, out Predicate<char>? members))
        {
            throw new ArgumentException($"The pattern '{_text}' can never match: '[:{name}:]' is no class of characters.");
        }

        _next = end + 2;
        return members;
    }
}
