using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace BtrfsClone.PowerShell;

/// <summary>
/// Completes wildcards for names, from the entries of the directories that the command names: <c>*.txt</c> if there is such a file,
/// and the names themselves. By default, PowerShell would offer paths, which match no name.
/// </summary>
internal sealed class NamePatternCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName,
        string parameterName,
        string wordToComplete,
        CommandAst commandAst,
        IDictionary fakeBoundParameters)
    {
        string typed = wordToComplete.Trim('\'', '"');
        List<string> names = Names(fakeBoundParameters);
        IEnumerable<string> extensions = names.Select(System.IO.Path.GetExtension)
            .Where(extension => extension!.Length > 1)
            .Select(extension => "*" + WildcardPattern.Escape(extension!))
            .Distinct(StringComparer.OrdinalIgnoreCase);
        return extensions.Order(StringComparer.OrdinalIgnoreCase)
            .Concat(names.Select(WildcardPattern.Escape))
            .Where(pattern => pattern.StartsWith(typed, StringComparison.OrdinalIgnoreCase))
            .Select(pattern => new CompletionResult(
                ArgumentText.Quoted(pattern), pattern, CompletionResultType.ParameterValue, pattern));
    }

    private static List<string> Names(IDictionary bound)
    {
        using var shell = System.Management.Automation.PowerShell.Create(RunspaceMode.CurrentRunspace);
        shell.AddCommand("Get-ChildItem").AddParameter("Name").AddParameter("Force")
            .AddParameter("ErrorAction", ActionPreference.Ignore);
        foreach (string parameter in (string[])["Path", "LiteralPath"])
        {
            if (bound.Contains(parameter))
            {
                shell.AddParameter(parameter, bound[parameter]);
            }
        }

        return [.. shell.Invoke<string>()];
    }
}
