using System.CommandLine;
using System.Text.Json;
using BtrfsClone.Reporting;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone report</c>: a page that shows how disk space is used.</summary>
internal static class ReportCommand
{
    public static Command Create()
    {
        Argument<string[]> paths = new("DIR...")
        {
            Description = "Directories with all below them (default: the working directory).",
            Arity = new ArgumentArity(0, 100_000),
        };
        Option<string> output = new("--output", "-o")
        {
            Description = "The file to write: an HTML page that needs nothing else.",
            HelpName = "FILE",
            Required = true,
        };
        Option<bool> force = new("--force") { Description = "Replace the file if it exists." };
        Option<bool> json = new("--json") { Description = "Write what the page is about as a JSON object." };
        Option<bool> oneFileSystem = CloningOptions.LeaveOutQuietly();
        Command command = new("report", "Write a page that shows where the space is, and what deleting gives back (needs root).")
        {
            paths, output, force, oneFileSystem, json,
        };
        command.SetAction(parsed => Invocation.Run(run =>
        {
            var options = new ReportOptions { Output = FullPath.Of(parsed.GetValue(output)!), Force = parsed.GetValue(force) };
            string[] given = parsed.GetValue(paths)!;
            if (Write(run, options, given.Length == 0 ? ["."] : given, parsed.GetValue(oneFileSystem)) is { } result)
            {
                Tell(result, parsed.GetValue(json));
            }
        }));
        return command;
    }

    private static ReportResult? Write(Invocation run, ReportOptions options, string[] paths, bool oneFileSystem)
    {
        ReportSession? session = null;
        var events = new SessionEvents
        {
            OnFailure = run.Fail,
            OnPassedOver = run.WarnOfMounts(oneFileSystem),
            OnTick = () => run.Progress.Show(() => $"{session!.Files:N0} files"),
        };
        using (session = new ReportSession(options, events))
        {
            foreach (string path in paths)
            {
                run.Try(() => session.Add(FullPath.ThroughLink(path)));
            }

            ReportResult? result = session.Write(run.Cancellation);
            run.Progress.Clear();
            return result;
        }
    }

    private static void Tell(ReportResult result, bool json)
    {
        if (json)
        {
            Utf8Output output = new(StandardStream.Output);
            output.Write(JsonSerializer.SerializeToUtf8Bytes(result, JsonLines.Readable.ReportResult));
            output.EndLine();
            output.Flush();
        }
    }
}
