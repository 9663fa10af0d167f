namespace BtrfsClone.Cloning;

/// <summary>Which entries are included and excluded, by patterns of names and paths.</summary>
/// <remarks>
/// A pattern matches the end of an entry's path: <c>bin</c> matches any <c>bin</c>, <c>src/bin</c> any <c>bin</c> in a <c>src</c>,
/// which may be the item itself. With a leading slash, it matches the whole path below the item. See <see cref="PathPattern"/>.
/// </remarks>
public sealed class NamePatterns
{
    /// <summary>Creates the filter from patterns.</summary>
    /// <param name="include">A file is included if it matches one of these, or if there are none. Directories are always entered.</param>
    /// <param name="exclude">Entries that match one of these are excluded, directories with everything below them.</param>
    /// <param name="rules">Rules that exclude further entries.</param>
    /// <param name="matcher">Creates the matcher for one name with wildcards; it is called on several threads at once.</param>
    /// <exception cref="ArgumentException">A pattern can never match; the message states why.</exception>
    public NamePatterns(
        IReadOnlyList<string> include, IReadOnlyList<string> exclude, IReadOnlyList<IgnoreRules> rules,
        Func<string, Predicate<string>> matcher)
    {
        ArgumentNullException.ThrowIfNull(include);
        ArgumentNullException.ThrowIfNull(exclude);
        ArgumentNullException.ThrowIfNull(rules);
        PathPattern[] included = [.. include.Select(text => PathPattern.Parse(text, matcher))];
        PathPattern[] excluded = [.. exclude.Select(text => PathPattern.Parse(text, matcher))];
        IgnoreRules[] ignored = [.. rules];
        int directories = Array.FindIndex(included, pattern => pattern.IsForDirectories);
        if (directories >= 0)
        {
            throw new ArgumentException(
                $"The pattern '{include[directories]}' can never match: files are chosen, and it names directories. " +
                $"All files below them are '{include[directories]}**'.");
        }

        Text = string.Join('\n', string.Join('\0', include), string.Join('\0', exclude), string.Join('\0', ignored.Select(r => r.Text)));
        if (included.Length + excluded.Length + ignored.Length > 0)
        {
            Filter = (path, kind) =>
                !AnyMatches(excluded, path, kind) && !AnyIgnores(ignored, path, kind) &&
                (included.Length == 0 || kind == EntryKind.Directory || AnyMatches(included, path, kind));
        }
    }

    /// <summary>The filter, or null if it would include everything.</summary>
    public EntryFilter? Filter { get; }

    /// <summary>All patterns: two filters with the same text are equal.</summary>
    public string Text { get; }

    private static bool AnyMatches(PathPattern[] patterns, ReadOnlySpan<string> path, EntryKind kind)
    {
        foreach (PathPattern pattern in patterns)
        {
            if (pattern.Matches(pattern.IsAnchored ? path[1..] : path, kind))
            {
                return true;
            }
        }

        return false;
    }

    private static bool AnyIgnores(IgnoreRules[] rules, ReadOnlySpan<string> path, EntryKind kind)
    {
        foreach (IgnoreRules one in rules)
        {
            if (one.Ignores(path[1..], kind))
            {
                return true;
            }
        }

        return false;
    }
}
