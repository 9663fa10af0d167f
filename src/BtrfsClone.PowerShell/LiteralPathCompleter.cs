using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace BtrfsClone.PowerShell;

/// <summary>
/// Completes paths for parameters that take them as they are: PowerShell by itself would offer <c>d[1]</c> with its
/// brackets escaped, which then names something else.
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

    /// <summary>Whether a path is one to offer.</summary>
    protected virtual bool IsWanted(CompletionResult result) => true;

    private static string Literal(string argument)
    {
        // Quoted as it may be, it reads as one string, which then holds a wildcard pattern.
        Ast? value = Parser.ParseInput($"x {argument}", out _, out ParseError[] errors)
            .Find(ast => ast is CommandAst, searchNestedScriptBlocks: false);
        return errors.Length == 0 && value is CommandAst { CommandElements: [_, StringConstantExpressionAst { Value: string pattern }] }
            ? ArgumentText.Quoted(WildcardPattern.Unescape(pattern))
            : argument;
    }
}

/// <summary>Completes paths of directories for parameters that take them as they are.</summary>
internal sealed class LiteralDirectoryCompleter : LiteralPathCompleter
{
    /// <inheritdoc/>
    protected override bool IsWanted(CompletionResult result) =>
        result is { ResultType: CompletionResultType.ProviderContainer };
}
