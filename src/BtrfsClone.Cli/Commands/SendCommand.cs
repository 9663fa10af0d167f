using System.CommandLine;
using System.Text.Json;
using BtrfsClone.Sending;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone send</c>: directories as a stream for <c>btrfs receive</c>.</summary>
internal static class SendCommand
{
    public static Command Create()
    {
        Argument<string[]> paths = new("DIR...")
        {
            Description = "The directories. btrfs receive makes a subvolume of each, with its name.",
            Arity = new ArgumentArity(1, 100_000),
        };
        Option<string?> output = new("--output", "-o")
        {
            Description = "Write the stream to this file, which gets its name when it is whole.",
            HelpName = "FILE",
        };
        Option<int> protocol = new("--protocol")
        {
            Description = "The stream's version: 2 keeps what is compressed and preallocated, 1 is for btrfs-progs before 6.0.",
            HelpName = "1|2",
            DefaultValueFactory = _ => SendOptions.NewestProtocol,
        };
        protocol.AcceptOnlyFromAmong("1", "2");
        Option<bool> oneFileSystem = CloningOptions.OneFileSystem();
        Option<bool> noClobber = new("--no-clobber", "-n")
        {
            Description = "With --output: leave a file that exists, which is an error.",
        };
        Option<bool> force = new("--force", "-f")
        {
            Description = "With --output: replace a file without write permission, too.",
        };
        Option<bool> json = new("--json")
        {
            Description = "With --output: write one JSON object a line for each directory, with all that is known.",
        };
        Command command = new("send", "Write directories as a stream for btrfs receive, with what they share.")
        {
            paths, output, protocol, oneFileSystem, noClobber, force, json,
        };
        command.Validators.Add(result =>
        {
            bool isToFile = result.GetResult(output) is not null;
            if (!isToFile && (result.GetValue(json) || result.GetValue(noClobber) || result.GetValue(force)))
            {
                result.AddError("--json, --no-clobber and --force need --output.");
            }
            else if (!isToFile && !Console.IsOutputRedirected)
            {
                result.AddError("The stream is not written to a terminal: redirect it, or give --output.");
            }
        });
        command.SetAction(parsed => Invocation.Run(run =>
        {
            var options = new SendOptions
            {
                Protocol = parsed.GetValue(protocol),
                OneFileSystem = parsed.GetValue(oneFileSystem),
            };
            if (parsed.GetValue(output) is not { } file)
            {
                using var pipe = new StreamOutput();
                Send(run, options, parsed.GetValue(paths)!, pipe, json: false);
                return;
            }

            string path = FullPath.Of(file, BtrfsError.DestinationNotFound);
            using SendFileStream stream = SendFileStream.Create(path, parsed.GetValue(noClobber), parsed.GetValue(force));
            if (Send(run, options, parsed.GetValue(paths)!, stream, parsed.GetValue(json)) && stream.Length > 0)
            {
                stream.Publish();
            }
        }));
        return command;
    }

    /// <summary>Sends the directories. False if the stream could not be written.</summary>
    private static bool Send(Invocation run, SendOptions options, string[] paths, Stream output, bool json)
    {
        SendSession? session = null;
        var events = new SessionEvents
        {
            OnFailure = run.Fail,
            OnPassedOver = run.WarnOfMounts(options.OneFileSystem),
            OnTick = () => run.Progress.Show(
                () => $"{session!.Counters.Files:N0} files, {session.Counters.StreamLength / 1e6:N1} MB"),
        };
        List<SendResult> results = [];
        using (session = new SendSession(options, events, output))
        {
            foreach (string path in paths.TakeWhile(_ => session.CanGoOn))
            {
                run.Try(() => results.Add(session.Send(FullPath.ThroughLink(path), run.Cancellation)));
            }

            session.Complete();
            run.Progress.Clear();
            run.WarnOf(session.Losses);
            if (!session.CanGoOn)
            {
                return false;
            }
        }

        foreach (SendResult result in json ? results : [])
        {
            Console.WriteLine(JsonSerializer.Serialize(result, JsonLines.Readable.SendResult));
        }

        return true;
    }
}
