using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using BtrfsClone.Cli.Commands;

namespace BtrfsClone.Cli;

/// <summary>
/// The command line: one file in <c>Commands</c> for each verb, whose <c>Create</c> declares the verb's options and
/// hands their values to a body that <see cref="Invocation"/> runs.
/// </summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        RootCommand root = new("Clones files and directory trees on btrfs by sharing their extents.")
        {
            CopyCommand.Create(),
            RangeCommand.Create(),
            MergeCommand.Create(),
            CompareCommand.Create(),
            ExtentsCommand.Create(),
            WaitCommand.Create(),
            MeasureCommand.Create(),
            DemoCommand.Create(),
        };

        // A name may begin with "@": it is no file of further arguments.
        ParseResult parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is ParseErrorAction)
        {
            // Every error of a wrong command line follows from the first.
            return Refuse(parsed, parsed.Errors[0].Message.ReplaceLineEndings(" "));
        }

        return UnknownOption(parsed) is string option
            ? Refuse(parsed, $"Unrecognized option '{option}'.")
            : parsed.Invoke();
    }

    /// <summary>
    /// A word with a leading dash that the parser has taken for a path: a mistyped option must not become a name.
    /// After <c>--</c> everything is a name.
    /// </summary>
    private static string? UnknownOption(ParseResult parsed) =>
        parsed.Tokens
            .TakeWhile(token => token.Type != TokenType.DoubleDash)
            .FirstOrDefault(token => token.Value.Length > 1 && token.Value[0] == '-' &&
                parsed.CommandResult.Tokens.Contains(token))?.Value;

    private static int Refuse(ParseResult parsed, string error)
    {
        Console.Error.WriteLine($"btrfs-clone: {PathText.Printable(error)}");
        string verb = parsed.CommandResult.Command is RootCommand ? "" : $" {parsed.CommandResult.Command.Name}";
        Console.Error.WriteLine($"Try 'btrfs-clone{verb} --help'.");
        return ExitCode.Usage;
    }
}
