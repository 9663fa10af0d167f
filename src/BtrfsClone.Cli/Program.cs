using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using BtrfsClone.Cli.Commands;

namespace BtrfsClone.Cli;

/// <summary>
/// The command line: one file in <c>Commands</c> for each verb, whose <c>Create</c> declares the verb's options and passes their
/// values to a body that <see cref="Invocation"/> runs.
/// </summary>
internal static class Program
{
    // The runtime does not distinguish this from a thread that cannot be started.
    private const string NoMemory = "there is not enough memory, or there are too few threads: raise the limit " +
        "(ulimit -v, ulimit -d, ulimit -u, or the cgroup's memory.max and pids.max)";

    private static int Main(string[] args)
    {
        StandardStream.TakeOver();
        int exitCode;
        try
        {
            exitCode = Run(Arguments.Read(args));
        }
        catch (Exception failure) when (failure is IOException or OutOfMemoryException)
        {
            string cause = failure is OutOfMemoryException ? NoMemory : failure.Message;
            Console.Error.WriteLine($"btrfs-clone: {cause}");
            return ExitCode.Failed;
        }

        if (!StandardStream.Output.HasFailed)
        {
            return exitCode;
        }

        string error = Marshal.GetPInvokeErrorMessage(StandardStream.Output.Error);
        Console.Error.WriteLine($"btrfs-clone: standard output: the output is incomplete: write: {error}");
        return exitCode == ExitCode.Done ? ExitCode.Failed : exitCode;
    }

    private static int Run(string[] words)
    {
        RootCommand root = new("Clones files and directory trees on btrfs by sharing their extents.")
        {
            CopyCommand.Create(),
            SyncCommand.Create(),
            SendCommand.Create(),
            RangeCommand.Create(),
            MergeCommand.Create(),
            CompareCommand.Create(),
            ExtentsCommand.Create(),
            OwnersCommand.Create(),
            WaitCommand.Create(),
            MeasureCommand.Create(),
            ReportCommand.Create(),
            DuplicatesCommand.Create(),
            OptimizeCommand.Create(),
            DemoCommand.Create(),
            DocumentCommands.CreateCompletion(),
            DocumentCommands.CreateManual(),
        };

        // A name may begin with "@": this is not a response file.
        ParseResult parsed = root.Parse(words, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (UnknownOption(parsed) is string option)
        {
            return Refuse(parsed, $"Unrecognized option '{option}'.");
        }

        // All errors of an invalid command line follow from the first.
        return parsed.Action is ParseErrorAction
            ? Refuse(parsed, parsed.Errors[0].Message.ReplaceLineEndings(" ").Replace(" \t", " ", StringComparison.Ordinal))
            : parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
    }

    /// <summary>
    /// A word with a leading dash that the parser has accepted as a path: a mistyped option must not become a name. After <c>--</c>
    /// everything is a name.
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
