using System.Management.Automation;
using BtrfsClone.Cloning;

namespace BtrfsClone.PowerShell;

/// <summary>The <c>-Include</c> and <c>-Exclude</c> wildcards as the engine's filter of entries.</summary>
internal static class NameFilter
{
    /// <summary>Makes the filter.</summary>
    /// <returns>The filter, or null when it would take everything. It may be called from several threads at once.</returns>
    public static EntryFilter? Create(string[]? include, string[]? exclude)
    {
        WildcardPattern[] included = Compile(include);
        WildcardPattern[] excluded = Compile(exclude);
        if (included.Length + excluded.Length == 0)
        {
            return null;
        }

        // Directories are entered whatever -Include says: the files that it means may lie below any of them.
        return (name, kind) =>
            !Matches(excluded, name)
            && (included.Length == 0 || kind == EntryKind.Directory || Matches(included, name));
    }

    private static bool Matches(WildcardPattern[] patterns, string name)
    {
        foreach (WildcardPattern pattern in patterns)
        {
            if (pattern.IsMatch(name))
            {
                return true;
            }
        }

        return false;
    }

    // Case does not count, as in the -Include and -Exclude of PowerShell's own cmdlets.
    private static WildcardPattern[] Compile(string[]? patterns) =>
        Array.ConvertAll(patterns ?? [], pattern =>
        {
            var compiled = new WildcardPattern(pattern, WildcardOptions.IgnoreCase);

            // The first match builds the matcher, which is immutable: after this, any thread may use it.
            compiled.IsMatch("");
            return compiled;
        });
}
