using System.CommandLine;
using BtrfsClone.Measuring;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone measure</c>: the disk usage of files and trees.</summary>
internal static class MeasureCommand
{
    public static Command Create()
    {
        Argument<string[]> paths = new("PATH...")
        {
            Description = "Files, and directories with all below them (default: the working directory).",
            Arity = new ArgumentArity(0, 100_000),
        };
        Option<bool> json = new("--json") { Description = "Write one JSON object a line, with all that is known." };
        Option<bool> byCompression = new("--by-compression")
        {
            Description = "Write a line for each kind of compression, too (needs root).",
        };
        Option<bool> reclaimable = new("--reclaimable")
        {
            Description = "Tell what deleting each path, and all of them together, would give back (needs root).",
        };
        Option<bool> detailed = new("--detailed")
        {
            Description = "With --reclaimable: tell, too, what comes free only with which of the others.",
        };
        Option<bool> oneFileSystem = CloningOptions.LeaveOutQuietly();
        Command command = new("measure", "Show what files and trees take on disk, and share.")
        {
            paths, json, byCompression, reclaimable, detailed, oneFileSystem,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(detailed) && !result.GetValue(reclaimable))
            {
                result.AddError("--detailed needs --reclaimable.");
            }
        });
        command.SetAction(parsed => Invocation.Run(run =>
        {
            var output = new MeasureOutput(
                parsed.GetValue(json), parsed.GetValue(byCompression), parsed.GetValue(reclaimable));
            string[] given = parsed.GetValue(paths)!;
            Measure(
                run, output, given.Length == 0 ? ["."] : given, parsed.GetValue(detailed), parsed.GetValue(oneFileSystem));
        }));
        return command;
    }

    private static void Measure(Invocation run, MeasureOutput output, string[] paths, bool detailed, bool oneFileSystem)
    {
        MeasureSession? session = null;
        var events = new SessionEvents
        {
            OnFailure = run.Fail,
            OnPassedOver = run.WarnOfMounts(oneFileSystem),
            OnTick = () => run.Progress.Show(() => $"{session!.Files:N0} files"),
        };
        using (session = new MeasureSession(new MeasureOptions { Reclaimable = output.IsReclaimable }, events))
        {
            foreach (string path in paths.TakeWhile(_ => output.IsOpen))
            {
                try
                {
                    MeasureResult result = session.Measure(FullPath.ThroughLink(path), run.Cancellation);
                    if (!output.IsReclaimable)
                    {
                        run.Progress.Clear();
                        output.Write(result);
                    }
                }
                catch (BtrfsException failure)
                {
                    run.Fail(failure);
                }

                output.Flush();
            }

            if (output.IsReclaimable)
            {
                IReadOnlyList<MeasureResult> results = session.Reclaim(detailed, run.Cancellation);
                run.Progress.Clear();
                output.Write(results);
                output.Flush();
            }
        }
    }
}
