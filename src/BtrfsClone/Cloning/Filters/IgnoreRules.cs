namespace BtrfsClone.Cloning;

/// <summary>
/// The rules of a file in the format of <c>.gitignore</c> (gitignore(5)): the last rule that matches an entry applies. The paths in
/// the rules are relative to each item.
/// </summary>
public sealed class IgnoreRules
{
    private readonly List<(PathPattern Pattern, bool Ignores)> _rules = [];

    /// <summary>Parses rules.</summary>
    /// <param name="lines">The lines of a file, without line ends.</param>
    /// <exception cref="ArgumentException">A rule can never match; the message contains it.</exception>
    public IgnoreRules(IEnumerable<string> lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        string[] all = [.. lines];
        Text = string.Join('\n', all);
        int number = 0;
        foreach (string line in all)
        {
            number++;
            string rule = WithoutTrailingSpaces(line);
            if (rule.Length > 0 && rule[0] != '#')
            {
                Add(rule, number);
            }
        }
    }

    /// <summary>The rules as given.</summary>
    public string Text { get; }

    /// <summary>Reads rules from a file.</summary>
    /// <param name="path">The file's absolute path; it may be a pipe.</param>
    /// <exception cref="ArgumentException">A rule can never match; the message contains it.</exception>
    /// <exception cref="BtrfsException">The file cannot be read.</exception>
    public static IgnoreRules Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        string[] lines = [.. ByteLines.Read(path)];
        if (lines.Length > 0)
        {
            lines[0] = lines[0].TrimStart('\uFEFF');
        }

        try
        {
            return new IgnoreRules(lines);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"'{PathText.Printable(path)}': {e.Message}", e);
        }
    }

    /// <summary>Whether an entry is excluded.</summary>
    /// <param name="path">The names from below the item down to the entry; none for the item itself.</param>
    /// <param name="kind">The entry's type.</param>
    public bool Ignores(ReadOnlySpan<string> path, EntryKind kind)
    {
        for (int i = _rules.Count - 1; i >= 0 && path.Length > 0; i--)
        {
            if (_rules[i].Pattern.Matches(path, kind))
            {
                return _rules[i].Ignores;
            }
        }

        return false;
    }

    private void Add(string rule, int number)
    {
        bool ignores = rule[0] != '!';
        string text = ignores ? rule : rule[1..];

        // A trailing slash restricts what is matched; any other slash means that the rule is a path, not a name.
        bool isAnchored = text.AsSpan(0, Math.Max(text.Length - 1, 0)).Contains('/');
        try
        {
            _rules.Add((PathPattern.Parse(text, IgnoreGlob.Parse, isAnchored), ignores));
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"Line {number}: {e.Message}", e);
        }
    }

    /// <summary>Trailing spaces are ignored unless preceded by a backslash.</summary>
    private static string WithoutTrailingSpaces(string line)
    {
        int end = line.EndsWith('\r') ? line.Length - 1 : line.Length;
        while (end > 0 && line[end - 1] == ' ')
        {
            int backslashes = 0;
            while (end - 2 - backslashes >= 0 && line[end - 2 - backslashes] == '\\')
            {
                backslashes++;
            }

            if (backslashes % 2 != 0)
            {
                break;
            }

            end--;
        }

        return line[..end];
    }
}
