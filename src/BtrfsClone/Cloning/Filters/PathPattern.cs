namespace BtrfsClone.Cloning;

/// <summary>
/// A pattern of names separated by slashes, matched name by name: <c>bin</c>, <c>src/bin</c>, <c>/bin</c>, <c>**/bin/*.o</c>,
/// <c>bin/</c>.
/// </summary>
public sealed class PathPattern
{
    // One per name; null stands for "**": any number of names.
    private readonly Predicate<string>?[] _names;

    private PathPattern(Predicate<string>?[] names, bool isForDirectories) =>
        (_names, IsForDirectories) = (names, isForDirectories);

    /// <summary>It ends with a slash, and matches only directories.</summary>
    public bool IsForDirectories { get; }

    /// <summary>It matches whole paths. All other patterns match the ends of paths.</summary>
    public bool IsAnchored => _names[0] is not null;

    /// <summary>Parses a pattern.</summary>
    /// <param name="text">
    /// Names separated by slashes. <c>**</c> instead of a name matches any number of names, at the end at least one.
    /// </param>
    /// <param name="matcher">Creates the matcher for one name with wildcards.</param>
    /// <param name="isAnchored">
    /// The pattern is a whole path, not the end of one. This always holds for a pattern that begins with a slash.
    /// </param>
    /// <exception cref="ArgumentException">No path can match it; the message states why.</exception>
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
            // Matches what is below a directory, but not the directory.
            parts.Add(_ => true);
        }

        return new PathPattern([.. parts], isForDirectories);
    }

    /// <summary>Whether it matches an entry.</summary>
    /// <param name="path">The names down to the entry, including its own.</param>
    /// <param name="kind">The entry's type.</param>
    public bool Matches(ReadOnlySpan<string> path, EntryKind kind) =>
        (kind == EntryKind.Directory || !IsForDirectories) && WildcardSequence.Matches(_names, path);
}
