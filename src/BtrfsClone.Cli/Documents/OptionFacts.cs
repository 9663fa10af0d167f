using System.CommandLine;
using System.CommandLine.Completions;

namespace BtrfsClone.Cli.Documents;

/// <summary>The description of an option in pages and completions; it is the same as in <c>--help</c>.</summary>
/// <param name="Names">The option with its dashes, short forms first.</param>
/// <param name="Value">The name of its value, or null if it takes none.</param>
/// <param name="Words">The values that it accepts, if they are words.</param>
/// <param name="Text">What it does.</param>
internal sealed record OptionFacts(string[] Names, string? Value, string[] Words, string Text)
{
    /// <summary>Whether the value is a path.</summary>
    public bool TakesPath => Value is "FILE" or "DIR";

    /// <summary>The options of a verb, including those common to all verbs.</summary>
    public static OptionFacts[] Of(Command verb) =>
        [.. verb.Options.Where(option => !option.Hidden).Select(Of).OrderBy(facts => facts.Names[^1], StringComparer.Ordinal)];

    private static OptionFacts Of(Option option)
    {
        string[] names = [.. option.Aliases.Append(option.Name)
            .Where(name => name.StartsWith('-')).Distinct().OrderBy(name => name.Length).ThenBy(name => name, StringComparer.Ordinal)];
        bool hasValue = option.ValueType != typeof(bool) && option.ValueType != typeof(void) && option.HelpName is not null;
        string[] words = hasValue
            ? [.. option.GetCompletions(CompletionContext.Empty).Select(item => item.Label)]
            : [];
        return new OptionFacts(names, hasValue ? option.HelpName : null, words, option.Description ?? "");
    }
}
