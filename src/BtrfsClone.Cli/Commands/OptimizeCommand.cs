using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text;
using System.Text.Json;
using BtrfsClone.Optimizing;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone optimize</c>: frees the unreachable parts of extents, and joins small ones.</summary>
internal static class OptimizeCommand
{
    public static Command Create()
    {
        Argument<string[]> paths = new("PATH...")
        {
            Description = "Files, and directories with all below them.",
            Arity = new ArgumentArity(1, 100_000),
        };
        Option<bool> dryRun = new("--dry-run", "-n") { Description = "Write nothing, and say how many bytes would come free." };
        Option<long?> minimumGain = Number(
            "--minimum-gain",
            "Replace an extent only where that gives back as many bytes (default: a hundredth of what is written for it).");
        Option<long?> targetSize = Number(
            "--target-extent-size",
            "Join extents of which fewer bytes are in use, where all files use them one after the other; 0 joins nothing " +
            $"(default: {OptimizeOptions.DefaultTargetExtentSize}).",
            least: 0);
        Option<long?> maximumRate = Number(
            "--maximum-rate", "Read no more bytes a second, and write no more (default: as fast as it can be).");
        Option<bool> oneFileSystem = CloningOptions.LeaveOutQuietly();
        Option<bool> json = new("--json") { Description = "Write one JSON object a line, with all that is known." };
        Command command = new(
            "optimize",
            "Give back the parts of extents that nobody can reach, and join small extents; clones and snapshots stay shared (needs root).")
        {
            paths, dryRun, minimumGain, targetSize, maximumRate, oneFileSystem, json,
        };
        command.SetAction(parsed => Invocation.Run(run =>
        {
            var options = new OptimizeOptions
            {
                Preview = parsed.GetValue(dryRun),
                MinimumGain = parsed.GetValue(minimumGain),
                TargetExtentSize = parsed.GetValue(targetSize) ?? OptimizeOptions.DefaultTargetExtentSize,
                MaximumRate = parsed.GetValue(maximumRate),
            };
            Optimize(run, options, parsed.GetValue(paths)!, parsed.GetValue(oneFileSystem), parsed.GetValue(json));
        }));
        return command;
    }

    private static Option<long?> Number(string name, string description, long least = 1)
    {
        Option<long?> option = new(name) { Description = description, HelpName = "BYTES" };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && long.TryParse(result.Tokens[0].Value, out long value) && value < least)
            {
                result.AddError($"{name} takes a number of bytes from {least} on.");
            }
        });
        return option;
    }

    private static void Optimize(Invocation run, OptimizeOptions options, string[] paths, bool oneFileSystem, bool json)
    {
        Utf8Output output = new(StandardStream.Output);
        OptimizeSession? session = null;
        var events = new SessionEvents
        {
            OnFailure = run.Fail,
            OnPassedOver = run.WarnOfMounts(oneFileSystem),
            OnTick = () => run.Progress.Show(() =>
                $"{session!.Files:N0} files, {session.GainedLength / 1e6:N1} MB {(options.Preview ? "to gain" : "gained")}"),
        };
        using (session = new OptimizeSession(options, events))
        {
            foreach (string path in paths.TakeWhile(_ => output.IsOpen))
            {
                run.Try(() =>
                {
                    OptimizeResult result = session.Optimize(FullPath.ThroughLink(path), run.Cancellation);
                    run.Progress.Clear();
                    Write(output, result, options.Preview, json);
                });
                output.Flush();
            }
        }
    }

    private static void Write(Utf8Output output, OptimizeResult result, bool isPreview, bool json)
    {
        if (json)
        {
            output.Write(JsonSerializer.SerializeToUtf8Bytes(result, JsonLines.Readable.OptimizeResult));
        }
        else
        {
            string extents = result.ExtentsReplaced == 1 ? "extent" : "extents";
            output.Write(Encoding.UTF8.GetBytes(
                $"{PathText.Printable(result.Path)}: {result.ExtentsReplaced} {extents} {(isPreview ? "would be " : "")}replaced by " +
                $"{result.ExtentsWritten}, {result.GainedLength} bytes gained, {result.WrittenLength} written, {result.LeftLength} left" +
                (result.ExtentsLeft > 0 ? $", {result.ExtentsLeft} extents not joined" : "") +
                (result.HeldLength > 0 ? $", {result.HeldLength} held by a snapshot taken meanwhile" : "")));
        }

        output.EndLine();
    }
}
