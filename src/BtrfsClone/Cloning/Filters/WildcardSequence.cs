namespace BtrfsClone.Cloning;

/// <summary>Matches a sequence, names of a path or characters of a name, with the parts of a pattern.</summary>
internal static class WildcardSequence
{
    /// <summary>Whether the parts match the whole sequence, in order.</summary>
    /// <param name="parts">Each part matches one element; null matches any number.</param>
    /// <param name="given">The sequence to match.</param>
    public static bool Matches<T>(ReadOnlySpan<Predicate<T>?> parts, ReadOnlySpan<T> given)
    {
        // Only the last part that matches any number has to be retried with more.
        int retryPart = -1, retryAt = 0;
        int part = 0, at = 0;
        while (at < given.Length)
        {
            if (part < parts.Length && parts[part] is null)
            {
                retryPart = ++part;
                retryAt = at;
            }
            else if (part < parts.Length && parts[part]!(given[at]))
            {
                part++;
                at++;
            }
            else if (retryPart < 0)
            {
                return false;
            }
            else
            {
                part = retryPart;
                at = ++retryAt;
            }
        }

        while (part < parts.Length && parts[part] is null)
        {
            part++;
        }

        return part == parts.Length;
    }
}
