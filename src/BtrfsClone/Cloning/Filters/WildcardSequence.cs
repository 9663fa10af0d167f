namespace BtrfsClone.Cloning;

/// <summary>Matches what is one after the other, names of a path or characters of a name, with parts of a pattern.</summary>
internal static class WildcardSequence
{
    /// <summary>Whether all parts match all that is given, in their order.</summary>
    /// <param name="parts">What matches one each; null matches any number.</param>
    /// <param name="given">What is to be matched.</param>
    public static bool Matches<T>(ReadOnlySpan<Predicate<T>?> parts, ReadOnlySpan<T> given)
    {
        // Only the last part that matches any number has to be tried again with more.
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
