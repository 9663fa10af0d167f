using System.CommandLine;
using System.Text;
using System.Text.Json;
using BtrfsClone.Cloning;
using BtrfsClone.Syncing;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone sync</c>: makes a destination equal to its source by updating only what differs.</summary>
internal static class SyncCommand
{
    public static Command Create()
    {
        Argument<string> source = new("SOURCE") { Description = "The file or directory to make DESTINATION equal to." };
        Argument<string> destination = new("DESTINATION")
        {
            Description = "The file or directory that is made equal, never a directory to put SOURCE into.",
        };
        Option<bool> delete = new("--delete")
        {
            Description = "Remove what SOURCE has not, after everything else; replace entries of another type.",
        };
        Option<string?> check = new("--check")
        {
            Description = "A file is equal if its data lie in the same places (extent, the default), or by size and time.",
            HelpName = "extent|time",
        };
        check.AcceptOnlyFromAmong("extent", "time");
        Option<bool> inPlace = new("--in-place") { Description = "Change files where they are; by default they are replaced." };
        Option<bool> dryRun = new("--dry-run", "-n") { Description = "Change nothing, and write what would be done." };
        Option<bool> verbose = new("--verbose", "-v") { Description = "Write a line for each entry that is changed." };
        Option<bool> json = new("--json") { Description = "Write JSON, one object a line; the last is the result." };
        Option<bool> pointInTime = new("--point-in-time")
        {
            Description = "Read SOURCE as it stood at one moment, from a temporary snapshot.",
        };
        Option<bool> perFile = CloningOptions.PerFile();
        CloningOptions shared = new();
        Option<bool> oneFileSystem = CloningOptions.OneFileSystem();
        PatternOptions patterns = new();
        Command command = new("sync", "Make a file or tree equal to its source by what differs.")
        {
            source, destination, delete, check, inPlace, shared.Reflink, pointInTime, perFile, oneFileSystem, dryRun, verbose, json,
            shared.Jobs,
        };
        patterns.AddTo(command);
        command.Validators.Add(result => CloningOptions.RefuseAlone(result, perFile, pointInTime));
        command.SetAction(parsed =>
        {
            SyncOptions options = new()
            {
                Delete = parsed.GetValue(delete),
                Check = parsed.GetValue(check) == "time" ? SyncCheck.Time : SyncCheck.Extent,
                InPlace = parsed.GetValue(inPlace),
                Reflink = CloningOptions.ReflinkOf(parsed.GetValue(shared.Reflink)),
                PointInTime = parsed.GetValue(pointInTime),
                PerFile = parsed.GetValue(perFile),
                OneFileSystem = parsed.GetValue(oneFileSystem),
                DryRun = parsed.GetValue(dryRun),
                Workers = parsed.GetValue(shared.Jobs),
                Filter = patterns.Patterns.Filter,
                FilterText = patterns.Patterns.Text,
            };
            bool lists = parsed.GetValue(dryRun) || parsed.GetValue(verbose);
            return Invocation.Run(patterns.Checked(run => Sync(
                run, options, FullPath.Of(parsed.GetValue(source)!),
                FullPath.Of(parsed.GetValue(destination)!, BtrfsError.DestinationNotFound), lists, parsed.GetValue(json))));
        });
        return command;
    }

    private static void Sync(
        Invocation run, SyncOptions options, string source, string destination, bool lists, bool json)
    {
        Utf8Output output = new(StandardStream.Output);
        SyncSession? session = null;
        SyncEvents events = new()
        {
            OnFailure = run.Fail,
            OnPassedOver = run.WarnOfMounts(options.OneFileSystem),
            OnChange = lists ? Write : null,
            OnTick = () => run.Progress.Show(() => Describe(session!.Counters)),
        };
        using (session = new SyncSession(options, events))
        {
            SyncResult result = session.Sync(source, destination, run.Cancellation);
            run.Progress.Clear();
            if (json)
            {
                output.Write(JsonSerializer.SerializeToUtf8Bytes(result, JsonLines.Readable.SyncResult));
                output.EndLine();
            }

            output.Flush();
            if (session.CopiedDescription is { } copied)
            {
                run.Warn(copied);
            }

            run.WarnOfMoments(session.WithoutMoment);
            run.WarnOf(session.Losses);
        }

        void Write(SyncChange change)
        {
            if (json)
            {
                output.Write(JsonSerializer.SerializeToUtf8Bytes(change, JsonLines.Readable.SyncChange));
            }
            else
            {
                output.WriteLeft(Encoding.UTF8.GetBytes(Word(change.Action)), 7);
                output.Write(Encoding.UTF8.GetBytes(PathText.Printable(change.Path)));
            }

            output.EndLine();
        }
    }

    private static string Word(string action) => action.ToLowerInvariant();

    private static string Describe(SyncCounters counters) =>
        $"{counters.Share:P0}, {counters.Entries:N0} entries, {counters.Entries - counters[SyncAction.Keep]:N0} changed, " +
        $"{counters.SharedLength / 1e6:N1} MB shared";
}
