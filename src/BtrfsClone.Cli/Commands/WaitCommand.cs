using System.CommandLine;
using System.Globalization;
using BtrfsClone.Delalloc;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone wait</c>: waits until there is no delayed data and no data under writeback.</summary>
internal static class WaitCommand
{
    public static Command Create()
    {
        Argument<string[]> paths = new("PATH...")
        {
            Description = "Files, and directories with all files below them.",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<int?> timeout = new("--timeout")
        {
            Description = "Seconds to wait for each PATH, at least 1 (default: as long as it takes).",
            HelpName = "S",
        };
        timeout.Validators.Add(result =>
        {
            // By its text: the value of an argument that is not a number cannot be read.
            if (result.Tokens is not [{ Value: var text }] ||
                !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) || seconds < 1)
            {
                result.AddError("--timeout takes a whole number of seconds, at least 1.");
            }
        });
        Option<bool> noFlush = new("--no-flush") { Description = "Only wait, without starting write-out." };
        Option<bool> oneFileSystem = CloningOptions.OneFileSystem();
        Command command = new("wait", "Wait until no data of files is delayed or in flight.")
        {
            paths, timeout, noFlush, oneFileSystem,
        };
        command.SetAction(parsed =>
        {
            DelallocOptions options = new()
            {
                Timeout = parsed.GetValue(timeout) is int seconds ? TimeSpan.FromSeconds(seconds) : null,
                Flush = !parsed.GetValue(noFlush),
                OneFileSystem = parsed.GetValue(oneFileSystem),
            };
            return Invocation.Run(run => Wait(run, options, parsed.GetValue(paths)!));
        });
        return command;
    }

    private static void Wait(Invocation run, DelallocOptions options, string[] paths)
    {
        using DelallocSession session = new(
            options, new DelallocEvents { OnFailure = run.Fail, OnPassedOver = run.WarnOfMounts(options.OneFileSystem) });
        foreach (string path in paths)
        {
            try
            {
                session.Add(FullPath.ThroughLink(path), run.Cancellation);
            }
            catch (BtrfsException failure)
            {
                run.Fail(failure);
            }
        }

        session.Complete(run.Cancellation);
    }
}
