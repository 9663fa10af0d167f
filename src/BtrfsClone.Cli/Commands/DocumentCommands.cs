using System.CommandLine;
using System.Reflection;
using BtrfsClone.Cli.Documents;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone completion</c> and <c>btrfs-clone manual</c>: the files that are installed beside the program.</summary>
internal static class DocumentCommands
{
    public static Command CreateCompletion()
    {
        Argument<string> shell = new("bash|zsh|fish") { Description = "The shell." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        Command command = new("completion", "Write a script that completes the command line in a shell.") { shell };
        command.SetAction(parsed => Write(parsed.GetValue(shell) switch
        {
            "bash" => ShellCompletion.Bash(parsed.RootCommandResult.Command),
            "zsh" => ShellCompletion.Zsh(parsed.RootCommandResult.Command),
            _ => ShellCompletion.Fish(parsed.RootCommandResult.Command),
        }));
        return command;
    }

    public static Command CreateManual()
    {
        Command command = new("manual", "Write the manual page, for man(1).");
        command.SetAction(parsed => Write(ManualPage.Of(
            parsed.RootCommandResult.Command,
            typeof(DocumentCommands).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion)));
        return command;
    }

    private static int Write(string text)
    {
        Console.Write(text);
        return ExitCode.Done;
    }
}
