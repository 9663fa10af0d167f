using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace BtrfsClone.PowerShell;

/// <summary>Completes numbers of threads: powers of two, up to the number of processors.</summary>
internal sealed class ThreadCountCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName,
        string parameterName,
        string wordToComplete,
        CommandAst commandAst,
        IDictionary fakeBoundParameters)
    {
        int processors = Environment.ProcessorCount;
        for (int count = 1; ; count = Math.Min(2 * count, processors))
        {
            string text = count.ToString(CultureInfo.InvariantCulture);
            if (text.StartsWith(wordToComplete, StringComparison.Ordinal))
            {
                yield return new CompletionResult(text);
            }

            if (count == processors)
            {
                yield break;
            }
        }
    }
}
