using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace BtrfsClone.PowerShell;

/// <summary>
/// Completes paths for parameters that use them literally: by default, PowerShell would escape the brackets in <c>d[1]</c>, which
/// is then another name.
/// </summary>
internal class LiteralPathCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName,
        string parameterName,
        string wordToComplete,
        CommandAst commandAst,
        IDictionary fakeBoundParameters)
    {
        foreach (CompletionResult result in CompletionCompleters.CompleteFilename(wordToComplete))
        {
            if (IsWanted(result))
            {
                yield return new CompletionResult(
                    Literal(result.CompletionText), result.ListItemText, result.ResultType, result.ToolTip);
            }
        }
    }

    /// <summary>Whether to offer a path.</summary>
    protected virtual bool IsWanted(CompletionResult result) => true;

    private static string Literal(string argument)
    {
        // However it is quoted, it is parsed as one string, which then contains a wildcard pattern.
        Ast? value = Parser.ParseInput($"x {argument}", out _, out ParseError[] errors)
            .Find(ast => ast is CommandAst, searchNestedScriptBlocks: false);
        return errors.Length == 0 && value is CommandAst { CommandElements: [_, StringConstantExpressionAst { Value: string pattern }] }
            ? ArgumentText.Quoted(WildcardPattern.Unescape(pattern))
            : argument;
    }
}

/// <summary>Completes directory paths for parameters that use them literally.</summary>
internal sealed class LiteralDirectoryCompleter : LiteralPathCompleter
{
    /// <inheritdoc/>
    protected override bool IsWanted(CompletionResult result) =>
        result is { ResultType: CompletionResultType.ProviderContainer };
}
