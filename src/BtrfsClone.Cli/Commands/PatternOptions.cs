using System.CommandLine;
using System.CommandLine.Parsing;
using System.IO.Enumeration;
using BtrfsClone.Cloning;

namespace BtrfsClone.Cli.Commands;

/// <summary>Options that determine which entries below the given ones are included.</summary>
internal sealed class PatternOptions
{
    private readonly Option<string[]> _include = new("--include")
    {
        Description = "Take only such files below the given ones (* and ?, ** for directories; repeatable).",
        HelpName = "GLOB",
    };

    private readonly Option<string[]> _exclude = new("--exclude")
    {
        Description = "Leave such names or paths out, directories with all below them (a / at the end: directories only).",
        HelpName = "GLOB",
    };

    private readonly Option<string[]> _excludeFrom = new("--exclude-from")
    {
        Description = "Leave out what the rules of this file leave out, which are those of .gitignore.",
        HelpName = "FILE",
    };

    private BtrfsException? _failure;

    /// <summary>The given patterns. They are available once the command line is parsed.</summary>
    public NamePatterns Patterns { get; private set; } = new([], [], [], _ => _ => false);

    /// <summary>Adds the options to a verb; the command line is rejected if a pattern can never match.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_include);
        command.Options.Add(_exclude);
        command.Options.Add(_excludeFrom);
        command.Validators.Add(Read);
    }

    /// <summary>A verb's body, which only runs if all rules could be read.</summary>
    public Action<Invocation> Checked(Action<Invocation> body) => run =>
    {
        if (_failure is not null)
        {
            throw _failure;
        }

        body(run);
    };

    /// <summary>The options, for verbs with options that exclude them.</summary>
    public Option[] All => [_include, _exclude, _excludeFrom];

    // The value of an option without an argument cannot be read.
    private static string[] Words(CommandResult result, Option option) =>
        result.GetResult(option) is { } given ? [.. given.Tokens.Select(token => token.Value)] : [];

    private void Read(CommandResult result)
    {
        try
        {
            Patterns = new NamePatterns(
                Words(result, _include),
                Words(result, _exclude),
                [.. Words(result, _excludeFrom).Select(path => IgnoreRules.Read(FullPath.Of(path)))],
                pattern => name => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false));
        }
        catch (ArgumentException e)
        {
            result.AddError(e.Message);
        }
        catch (BtrfsException e)
        {
            _failure = e;
        }
    }
}
