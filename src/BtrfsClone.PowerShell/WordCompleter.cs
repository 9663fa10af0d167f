using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace BtrfsClone.PowerShell;

/// <summary>Completes numbers and words, for which PowerShell would offer file names by default.</summary>
internal abstract class WordCompleter(params string[] words) : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName,
        string parameterName,
        string wordToComplete,
        CommandAst commandAst,
        IDictionary fakeBoundParameters)
    {
        string[] begun = Array.FindAll(words, one => one.StartsWith(wordToComplete, StringComparison.OrdinalIgnoreCase));

        // Without any result, file names would be offered again: what was typed may be right.
        return (begun.Length > 0 || wordToComplete.Length == 0 ? begun : [wordToComplete]).Select(one => new CompletionResult(one));
    }
}

/// <summary>Completes bytes, in multiples of any block.</summary>
internal sealed class ByteCountCompleter() : WordCompleter("0", "64KB", "128KB", "1MB", "16MB", "128MB", "1GB");

/// <summary>Completes seconds.</summary>
internal sealed class SecondsCompleter() : WordCompleter("1", "10", "60", "600", "3600");

/// <summary>Completes widths in columns.</summary>
internal sealed class WidthCompleter() : WordCompleter("40", "60", "80", "120", "160");

/// <summary>Completes versions of the format of streams.</summary>
internal sealed class ProtocolCompleter() : WordCompleter("1", "2");

/// <summary>Completes compressions.</summary>
internal sealed class CompressionCompleter() : WordCompleter("zstd", "zstd:3", "zlib", "lzo", "none", "Inherit");

/// <summary>Completes objects, which come from variables and commands: offers nothing.</summary>
internal sealed class ObjectCompleter() : WordCompleter();
