using System.CommandLine;
using System.CommandLine.Invocation;
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
            DemoCommand.Create(),
        };

        ParseResult parsed = root.Parse(args);
        return parsed.Action is ParseErrorAction ? Refuse(parsed) : parsed.Invoke();
    }

    private static int Refuse(ParseResult parsed)
    {
        // Every error of a wrong command line follows from the first.
        Console.Error.WriteLine($"btrfs-clone: {PathText.Printable(parsed.Errors[0].Message)}");
        string verb = parsed.CommandResult.Command is RootCommand ? "" : $" {parsed.CommandResult.Command.Name}";
        Console.Error.WriteLine($"Try 'btrfs-clone{verb} --help'.");
        return ExitCode.Usage;
    }
}
