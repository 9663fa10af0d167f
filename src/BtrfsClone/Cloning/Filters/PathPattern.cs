namespace BtrfsClone.Cloning;

/// <summary>
/// A pattern of names with slashes between them, matched name by name: <c>bin</c>, <c>src/bin</c>, <c>/bin</c>,
/// <c>**/bin/*.o</c>, <c>bin/</c>.
/// </summary>
public sealed class PathPattern
{
    // One for each name, and null for a "**": any number of them.
    private readonly Predicate<string>?[] _names;

    private PathPattern(Predicate<string>?[] names, bool isForDirectories) =>
        (_names, IsForDirectories) = (names, isForDirectories);

    /// <summary>It ends with a slash, and matches directories only.</summary>
    public bool IsForDirectories { get; }

    /// <summary>It matches whole paths. Any other one matches their ends.</summary>
    public bool IsAnchored => _names[0] is not null;

    /// <summary>Makes a pattern.</summary>
    /// <param name="text">
    /// Names with slashes between them. A <c>**</c> in the place of a name is any number of names, at the end one at least.
    /// </param>
    /// <param name="matcher">Makes of one name with wildcards what matches it.</param>
    /// <param name="isAnchored">
    /// The pattern is a whole path, and not the end of one. A pattern that begins with a slash is so in any case.
    /// </param>
    /// <exception cref="ArgumentException">No path can match it; the message says why.</exception>
    public static PathPattern Parse(string text, Func<string, Predicate<string>> matcher, bool isAnchored = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(matcher);
        bool isForDirectories = text.EndsWith('/');
        bool beginsAtTop = text.StartsWith('/');
        string[] names = text[(beginsAtTop ? 1 : 0)..].Split('/');
        names = isForDirectories ? names[..^1] : names;
        if (names.Length == 0 || Array.Exists(names, name => name.Length == 0 || name is "." or ".."))
        {
            throw new ArgumentException(
                $"The pattern '{text}' can never match: it is made of names, none of them empty, '.' or '..', with '/' between them.");
        }

        List<Predicate<string>?> parts = isAnchored || beginsAtTop ? [] : [null];
        parts.AddRange(names.Select(name => name == "**" ? null : matcher(name)));
        if (names[^1] == "**")
        {
            // What is below a directory, and not the directory.
            parts.Add(_ => true);
        }

        return new PathPattern([.. parts], isForDirectories);
    }

    /// <summary>Whether it matches an entry.</summary>
    /// <param name="path">The names on the way down to the entry, its own last.</param>
    /// <param name="kind">What the entry is.</param>
    public bool Matches(ReadOnlySpan<string> path, EntryKind kind) =>
        (kind == EntryKind.Directory || !IsForDirectories) && WildcardSequence.Matches(_names, path);
}
