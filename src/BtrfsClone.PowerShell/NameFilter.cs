using System.Management.Automation;
using BtrfsClone.Cloning;

namespace BtrfsClone.PowerShell;

/// <summary>The values of <c>-Include</c>, <c>-Exclude</c> and <c>-ExcludeFrom</c>, converted for the engine.</summary>
internal static class NameFilter
{
    /// <summary>Reads the parameters; a pattern that can never match ends the command.</summary>
    public static NamePatterns Create(PSCmdlet cmdlet, string[]? include, string[]? exclude, string[]? excludeFrom)
    {
        try
        {
            string[] files = Array.ConvertAll(excludeFrom ?? [], file => SessionPath.Argument(cmdlet, file));
            return new NamePatterns(include ?? [], exclude ?? [], Array.ConvertAll(files, IgnoreRules.Read), Compile);
        }
        catch (ArgumentException e)
        {
            cmdlet.ThrowTerminatingError(ErrorRecords.InvalidPattern(e));
            throw;
        }
        catch (BtrfsException e)
        {
            cmdlet.ThrowTerminatingError(ErrorRecords.From(e));
            throw;
        }
    }

    // Case-insensitive, like -Include and -Exclude of PowerShell's own cmdlets.
    private static Predicate<string> Compile(string pattern)
    {
        var compiled = new WildcardPattern(pattern, WildcardOptions.IgnoreCase);

        // The first match builds the matcher, which is immutable: after this, any thread may use it.
        compiled.IsMatch("");
        return compiled.IsMatch;
    }
}
